import GraftModel

/// Sets the learning rate at the beginning of each epoch.
///
/// ```swift
/// LearningRateScheduler { epoch, rate in epoch < 10 ? rate : rate * 0.9 }
/// ```
///
/// For a rate that changes from step to step give the optimizer a ``LearningRateSchedule``.
///
/// Source: keras/src/callbacks/learning_rate_scheduler.py, version 3.15.
public final class LearningRateScheduler: Callback {
    private let schedule: (_ epoch: Int, _ rate: Float) throws -> Float
    /// The last epoch that it set the rate of, so that an epoch that is taken up in its middle keeps its rate.
    private var lastEpoch = 0

    /// - Parameter schedule: the rate of an epoch, counted from 0 as in Keras, from the rate before it.
    public init(_ schedule: @escaping (_ epoch: Int, _ rate: Float) throws -> Float) { self.schedule = schedule }

    /// Sets the rate.
    ///
    /// - Throws: `GraftError` with code `argument` for a rate that is negative or not finite; what the schedule throws.
    public func handle(_ event: TrainingEvent, in run: TrainingRun) throws {
        switch event {
        case .began: lastEpoch = 0
        case .epochBegan(let epoch) where epoch > lastEpoch:
            let rate = try schedule(epoch - 1, run.learningRate)
            guard rate >= 0, rate.isFinite else {
                throw GraftError(
                    .argument,
                    "the schedule of LearningRateScheduler gave \(rate) for epoch \(epoch); it must be 0 or more")
            }
            run.learningRate = rate
            lastEpoch = epoch
        default: break
        }
    }

    /// The last epoch that has its rate.
    public var state: CallbackState? { CallbackState(values: ["lastEpoch": .int(lastEpoch)]) }

    /// Goes on with the next epoch.
    public func restore(_ state: CallbackState) throws {
        lastEpoch = try CallbackStateReader("LearningRateScheduler", state).count("lastEpoch") ?? 0
    }
}
