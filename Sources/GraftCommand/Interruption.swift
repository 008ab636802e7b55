import Dispatch
import Foundation
import Graft

/// Ctrl-C, `kill` and a terminal that is closed, made polite: the first asks the work to stop at the next step, the second ends
/// the process.
///
/// While it lives; then signals end the process as before. A run that was begun with `nohup` outlives its terminal.
final class Interruption {
    /// What a process that was interrupted exits with: 128 + SIGINT, as shells do.
    static let exitCode: Int32 = 130
    /// Of these those that are not ignored.
    private let signals: [Int32]

    /// Raised at the first signal.
    let cancellation = CancellationFlag()
    private let sources: [any DispatchSourceSignal]

    /// - Parameter words: what is said at the first signal.
    init(on console: Console, saying words: String) {
        let queue = DispatchQueue(label: "graft.interruption")
        signals = [SIGINT, SIGTERM, SIGHUP].filter { $0 != SIGHUP || !Self.isIgnored($0) }
        sources = signals.map { number in
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
        for number in signals { signal(number, SIG_DFL) }
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        #if os(Linux)
            let handler = action.__sigaction_handler.sa_handler
        #else
            let handler = action.__sigaction_u.__sa_handler
        #endif
        return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
