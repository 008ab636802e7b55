import GraftModel

/// Something that follows a run and may steer it: early stopping, checkpoints, logs, schedules.
///
/// Called on the thread that called `fit`, so that it needs no locks. What it throws ends the run.
public protocol Callback: AnyObject {
    /// Called after each event.
    func handle(_ event: TrainingEvent, in run: TrainingRun) throws
}

/// A run of `fit` as callbacks see it.
public final class TrainingRun {
    /// The model that trains; its variables are those of the last complete epoch.
    public let model: Model
    /// The learning rate of the next step.
    public var learningRate: Float
    /// What was measured so far.
    public internal(set) var history = History()
    /// Whether the run ends after this epoch.
    public private(set) var isStopping = false

    init(model: Model, learningRate: Float) { (self.model, self.learningRate) = (model, learningRate) }

    /// Ends the run after the epoch that is running; its model is kept.
    public func stop() { isStopping = true }
}

/// A callback that calls a function.
public final class EventHandler: Callback {
    private let body: (TrainingEvent) throws -> Void

    /// Calls `body` for each event.
    public init(_ body: @escaping (TrainingEvent) throws -> Void) { self.body = body }

    /// Calls the function.
    public func handle(_ event: TrainingEvent, in run: TrainingRun) throws { try body(event) }
}
