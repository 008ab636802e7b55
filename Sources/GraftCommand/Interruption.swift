import Dispatch
import Foundation
import Synchronization

/// Ctrl-C and `kill`, made polite: the first asks the work to stop at the next step, the second ends the process.
final class Interruption: Sendable {
    private let sources: [any DispatchSourceSignal]
    private let count = Mutex(0)

    /// Calls `onFirst` at the first SIGINT or SIGTERM, on a queue of its own.
    init(onFirst: @escaping @Sendable () -> Void) {
        let queue = DispatchQueue(label: "graft.interruption")
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            return DispatchSource.makeSignalSource(signal: number, queue: queue)
        }
        for source in sources {
            source.setEventHandler { [weak self] in
                guard let self else { return }
                let isFirst = self.count.withLock { count in
                    count += 1
                    return count == 1
                }
                if isFirst { onFirst() } else { exit(Self.exitCode) }
            }
            source.resume()
        }
    }

    /// What a process that was interrupted exits with: 128 + SIGINT, as shells do.
    static let exitCode: Int32 = 130
}
