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
        get { state.chosenRate ?? schedule.rate(at: state.stepCount) }
        set { state.chosenRate = newValue }
    }
    /// What was measured so far.
    public var history: History { state.history }
    /// Whether the run ends after this epoch.
    public var isStopping: Bool { state.isStopping }

    /// The variables that the optimizer changes and those that a step writes back, such as moving means; in the model's
    /// order.
    public internal(set) var changingVariables: [Variable] = []
    /// What the run measures.
    let measures: Measures
    /// Keras's `iterations`: how often the optimizer changed the variables since `compile`.
    package var iterations: Int { state.stepCount / accumulationSteps }

    private let schedule: LearningRateSchedule
    private let accumulationSteps: Int
    /// Where the run is.
    var state: RunState

    init(model: Model, _ compilation: Compilation) {
        (self.model, schedule) = (model, compilation.optimizer.learningRate)
        (measures, accumulationSteps) = (compilation.measures, max(compilation.optimizer.settings.accumulationSteps, 1))
        state = RunState(compilation)
    }

    /// Ends the run after the epoch that is running; its model is kept.
    public func stop() { state.isStopping = true }
}

/// A callback that calls a function.
public final class EventHandler: Callback {
    private let body: (TrainingEvent) throws -> Void

    /// Calls `body` for each event.
    public init(_ body: @escaping (TrainingEvent) throws -> Void) { self.body = body }

    /// Calls the function.
    public func handle(_ event: TrainingEvent, in run: TrainingRun) throws { try body(event) }
}
