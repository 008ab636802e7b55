import GraftGraph
import GraftModel
import Synchronization

/// Takes a run's checkpoints: knows when one is due, and has it written while training continues.
///
/// A checkpoint shares the tensors that it is made of; the next step copies those that it changes. One is written at a
/// time. Used by the thread that trains.
final class Checkpointer {
    let checkpointing: Checkpointing
    private let writing = BackgroundWork(name: "graft checkpoint")
    private let state: WriterState
    /// Since the last one was taken, or the run began.
    private var clock = Stopwatch()

    private final class WriterState: Sendable {
        let content = Mutex(Content())

        struct Content {
            var isWriting = false
            /// How long the last one took.
            var seconds = 0.0
            var reports: [CheckpointReport] = []
        }
    }

    /// The part of the time that writing may take where the interval is one of seconds.
    static let largestShare = 0.05

    init(_ checkpointing: Checkpointing) {
        (self.checkpointing, state) = (checkpointing, WriterState())
    }

    /// Whether one is due after a step or an epoch.
    ///
    /// - Parameter stepCount: steps since `compile`.
    func isDue(stepCount: Int, atEpochEnd: Bool) -> Bool {
        switch checkpointing.interval.rule {
        case .never: return false
        case .epoch: return atEpochEnd
        case .steps(let count): return atEpochEnd || stepCount % count == 0
        case .seconds(let seconds):
            let (isWriting, last) = state.content.withLock { ($0.isWriting, $0.seconds) }
            return !isWriting && clock.seconds >= max(seconds, last / Self.largestShare)
        }
    }

    /// Has a checkpoint written; waits for the one before, if that is not done yet.
    ///
    /// - Parameter make: called on another thread.
    func write(epoch: Int, step: Int, _ make: @escaping @Sendable () throws -> Checkpoint) {
        finish()
        clock = Stopwatch()
        let (storage, state) = (checkpointing.storage, state)
        state.content.withLock { $0.isWriting = true }
        // Whatever goes wrong is reported, nothing is thrown.
        try? writing.submit {
            let clock = Stopwatch()
            var report = CheckpointReport(
                checkpoint: storage.name, epoch: epoch, step: step, byteCount: 0, seconds: 0, failure: nil)
            do {
                report.byteCount = try storage.write(make())
            } catch {
                report.failure = error as? GraftError ?? GraftError(.state, "no checkpoint could be made", cause: error)
            }
            report.seconds = clock.seconds
            state.content.withLock { content in
                content.reports.append(report)
                (content.isWriting, content.seconds) = (false, report.seconds)
            }
        }
    }

    /// Waits until nothing is written any more.
    func finish() { try? writing.finish() }

    /// What was written since the last call.
    func takeReports() -> [CheckpointReport] {
        state.content.withLock { content in
            defer { content.reports = [] }
            return content.reports
        }
    }
}
