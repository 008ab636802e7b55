import GraftData
import GraftModel

/// How a run speaks: tells its callbacks what happens, and hears whether somebody asked to stop.
final class RunEvents {
    private let run: TrainingRun
    private let callbacks: [any Callback]
    private let options: TrainingOptions
    /// The failures of an earlier process that this one has not met again.
    var failuresBefore: [ExampleFailure] = []
    /// Whether somebody asked to stop at a moment at which a checkpoint can be taken.
    private(set) var isStoppedBetweenSteps = false

    init(_ run: TrainingRun, _ callbacks: [any Callback], _ options: TrainingOptions) {
        (self.run, self.callbacks, self.options) = (run, callbacks, options)
    }

    /// The examples that could not be read so far.
    var failures: [ExampleFailure] { run.state.history.failures }

    /// Tells the callbacks.
    func emit(_ event: TrainingEvent) throws {
        options.profiler?.handle(event)
        if case .problem(let failure) = event {
            if let known = failuresBefore.firstIndex(of: failure) {
                failuresBefore.remove(at: known)
            } else {
                run.state.history.failures.append(failure)
            }
        }
        for callback in callbacks { try callback.handle(event, in: run) }
    }

    /// Ends the run where somebody asked for it. Called between steps, when every callback has seen what happened.
    func checkCancellation() throws {
        guard options.cancellation?.isCancelled == true else { return }
        isStoppedBetweenSteps = true
        try options.checkCancellation()
    }
}
