import Dispatch
import Foundation
import Synchronization

/// Ctrl-C and `kill`, made polite: the first asks the work to stop at the next step, the second ends the process.
final class Interruption {
    private let sources: [any DispatchSourceSignal]

    /// Calls `onFirst` at the first SIGINT or SIGTERM, on a queue of its own.
    init(onFirst: @escaping @Sendable () -> Void) {
        let queue = DispatchQueue(label: "graft.interruption")
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            return DispatchSource.makeSignalSource(signal: number, queue: queue)
        }
        let count = Counter()
        for source in sources {
            source.setEventHandler { if count.next() == 1 { onFirst() } else { exit(Self.exitCode) } }
            source.resume()
        }
    }

    /// How many signals came.
    private final class Counter: Sendable {
        private let count = Mutex(0)

        func next() -> Int {
            count.withLock { count in
                count += 1
                return count
            }
        }
    }

    /// What a process that was interrupted exits with: 128 + SIGINT, as shells do.
    static let exitCode: Int32 = 130
}
