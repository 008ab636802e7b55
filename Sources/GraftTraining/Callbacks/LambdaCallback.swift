import GraftModel

/// A callback made of functions, each called at its own moment with the run in hand.
///
/// ```swift
/// LambdaCallback(
///     onEpochEnd: { report, run in if report.figures["accuracy"] ?? 0 > 0.99 { run.stop() } },
///     onTrainEnd: { history, _ in print(history.last) })
/// ```
///
/// Source: keras/src/callbacks/lambda_callback.py, version 3.15.
public final class LambdaCallback: Callback {
    private let onTrainBegin: ((TrainingOutline, TrainingRun) throws -> Void)?
    private let onEpochBegin: ((Int, TrainingRun) throws -> Void)?
    private let onTrainBatchEnd: ((StepReport, TrainingRun) throws -> Void)?
    private let onEpochEnd: ((EpochReport, TrainingRun) throws -> Void)?
    private let onTrainEnd: ((History, TrainingRun) throws -> Void)?

    /// A callback that does nothing but what is given.
    ///
    /// - Parameters:
    ///   - onTrainBegin: before anything is computed.
    ///   - onEpochBegin: with the epoch's number, 1 for the first.
    ///   - onTrainBatchEnd: after each step.
    ///   - onEpochEnd: after each epoch, validation included.
    ///   - onTrainEnd: when the run is done or was interrupted.
    public init(
        onTrainBegin: ((TrainingOutline, TrainingRun) throws -> Void)? = nil,
        onEpochBegin: ((Int, TrainingRun) throws -> Void)? = nil,
        onTrainBatchEnd: ((StepReport, TrainingRun) throws -> Void)? = nil,
        onEpochEnd: ((EpochReport, TrainingRun) throws -> Void)? = nil,
        onTrainEnd: ((History, TrainingRun) throws -> Void)? = nil
    ) {
        (self.onTrainBegin, self.onEpochBegin, self.onTrainBatchEnd) = (onTrainBegin, onEpochBegin, onTrainBatchEnd)
        (self.onEpochEnd, self.onTrainEnd) = (onEpochEnd, onTrainEnd)
    }

    /// Calls the function of this moment. What it throws ends the run.
    public func handle(_ event: TrainingEvent, in run: TrainingRun) throws {
        switch event {
        case .began(let outline): try onTrainBegin?(outline, run)
        case .epochBegan(let epoch): try onEpochBegin?(epoch, run)
        case .step(let report): try onTrainBatchEnd?(report, run)
        case .epoch(let report): try onEpochEnd?(report, run)
        case .ended(let history): try onTrainEnd?(history, run)
        default: break
        }
    }
}
