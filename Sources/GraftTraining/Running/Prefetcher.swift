import Foundation

/// Makes elements one ahead on a thread of its own: while one is used, the next is made.
///
/// Elements come in the order they are made; an error comes where its element would have. Letting go of the prefetcher
/// ends the thread after the element that it is making.
final class Prefetcher<Element: Sendable>: Sendable {
    private let exchange = Exchange()

    /// Starts a thread that calls `produce` until it gives `nil` or throws.
    init(name: String, produce: sending @escaping () throws -> Element?) {
        let exchange = exchange
        let work = Work(produce: produce)
        let thread = Thread {
            while exchange.waitForRoom() {
                let result = Result { try work.produce() }
                exchange.put(result)
                guard case .success(.some) = result else { return }
            }
        }
        thread.name = name
        // What a main thread has; macOS gives other threads half a megabyte, and decoders may want more.
        thread.stackSize = 8 << 20
        thread.start()
    }

    deinit { exchange.close() }

    /// The next element, `nil` after the last; waits until it is made.
    func next() throws -> Element? { try exchange.take().get() }

    /// Carries the closure to its thread. Sendable because the closure is handed over: nobody else keeps it.
    private struct Work: @unchecked Sendable {
        let produce: () throws -> Element?
    }

    /// One place for one element. Sendable because all of it is guarded by the condition's lock.
    private final class Exchange: @unchecked Sendable {
        private let condition = NSCondition()
        private var element: Result<Element?, any Error>?
        private var isClosed = false
        private var isDone = false

        /// Waits until the place is empty; false where nobody waits for elements any more.
        func waitForRoom() -> Bool {
            condition.lock()
            defer { condition.unlock() }
            while element != nil, !isClosed { condition.wait() }
            return !isClosed
        }

        func put(_ result: Result<Element?, any Error>) {
            condition.lock()
            defer { condition.unlock() }
            element = result
            condition.broadcast()
        }

        func take() -> Result<Element?, any Error> {
            condition.lock()
            defer { condition.unlock() }
            if isDone { return .success(nil) }
            while true {
                guard let result = element else {
                    condition.wait()
                    continue
                }
                element = nil
                if case .success(.some) = result {} else { isDone = true }
                condition.broadcast()
                return result
            }
        }

        func close() {
            condition.lock()
            defer { condition.unlock() }
            isClosed = true
            condition.broadcast()
        }
    }
}
