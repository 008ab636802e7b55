import Dispatch
import Foundation
import Graft

/// Ctrl-C and `kill`, made polite: the first asks the work to stop at the next step, the second ends the process.
///
/// While it lives; then signals end the process as before.
final class Interruption {
    /// What a process that was interrupted exits with: 128 + SIGINT, as shells do.
    static let exitCode: Int32 = 130
    private static let signals = [SIGINT, SIGTERM]

    /// Raised at the first signal.
    let cancellation = CancellationFlag()
    private let sources: [any DispatchSourceSignal]

    /// - Parameter words: what is said at the first signal.
    init(on console: Console, saying words: String) {
        let queue = DispatchQueue(label: "graft.interruption")
        sources = Self.signals.map { number in
            signal(number, SIG_IGN)
            return DispatchSource.makeSignalSource(signal: number, queue: queue)
        }
        for source in sources {
            source.setEventHandler { [cancellation] in
                guard !cancellation.isCancelled else {
                    console.closeProgressLine()
                    // Not exit: other threads still compute, and must not meet what it takes down.
                    _exit(Self.exitCode)
                }
                console.say(words)
                cancellation.cancel()
            }
            source.resume()
        }
    }

    deinit {
        for source in sources { source.cancel() }
        for number in Self.signals { signal(number, SIG_DFL) }
    }
}
