import GraftModel

/// Something that follows a run and may steer it: early stopping, checkpoints, logs, schedules.
///
/// Called on the thread that called `fit`, so that it needs no locks. What it throws ends the run.
public protocol Callback: AnyObject {
    /// Called after each event.
    func handle(_ event: TrainingEvent, in run: TrainingRun) throws

    /// What it remembers from event to event, for a checkpoint; `nil` where there is nothing to keep.
    ///
    /// Asked for between two steps or after an epoch, when every callback has seen the last event.
    var state: CallbackState? { get }

    /// Takes back what ``state`` gave, in a run that continues from a checkpoint.
    ///
    /// Called once, after ``TrainingEvent/began(_:)`` (where a callback forgets what an earlier run left in it) and
    /// before any other event.
    ///
    /// - Throws: `GraftError` with code `format` for a state that is not of this callback.
    func restore(_ state: CallbackState) throws
}

extension Callback {
    /// Nothing to keep.
    public var state: CallbackState? { nil }
    /// Nothing to take back.
    public func restore(_ state: CallbackState) throws {}
}

/// A run of `fit` as callbacks see it.
public final class TrainingRun {
    /// The model that trains; its variables are those of the last complete epoch.
    public let model: Model
    /// The learning rate of the next step. A rate that is set takes the place of the optimizer's schedule from then on.
    public var learningRate: Float {
        get { chosenRate ?? schedule.rate(at: step) }
        set { chosenRate = newValue }
    }
    /// What was measured so far.
    public internal(set) var history = History()
    /// Whether the run ends after this epoch.
    public private(set) var isStopping = false

    /// The variables that the optimizer changes and those that a step writes back, such as moving means; in the model's
    /// order.
    public internal(set) var changingVariables: [Variable] = []
    /// The metrics of the model's compilation.
    let metrics: [Metric]
    /// Keras's `iterations`: how often the optimizer changed the variables since `compile`.
    package var iterations: Int { step / accumulationSteps }

    private let schedule: LearningRateSchedule
    private let accumulationSteps: Int
    /// The rate that somebody set, in this run or one before.
    private(set) var chosenRate: Float?
    /// How many steps were done since `compile`.
    var step: Int

    init(model: Model, _ compilation: Compilation) {
        (self.model, schedule) = (model, compilation.optimizer.learningRate)
        (metrics, accumulationSteps) = (compilation.metrics, max(compilation.optimizer.settings.accumulationSteps, 1))
        (chosenRate, step) = (compilation.chosenRate, compilation.stepCount)
    }

    /// Goes on where another run was.
    func takeUp(_ compilation: Compilation, _ history: History, isStopping: Bool) {
        (chosenRate, step) = (compilation.chosenRate, compilation.stepCount)
        (self.history, self.isStopping) = (history, isStopping)
    }

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
