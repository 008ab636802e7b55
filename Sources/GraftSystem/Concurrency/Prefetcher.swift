import Foundation

/// Makes elements ahead on a thread of its own: while one is used, the next is made.
///
/// Elements come in the order they are made; an error comes where its element would have. Letting go of the prefetcher
/// ends the thread after the element that it is making.
package final class Prefetcher<Element: Sendable>: Sendable {
    private let exchange: Exchange

    /// Starts a thread that calls `produce` until it gives `nil` or throws, up to `ahead` elements before they are asked
    /// for.
    package init(name: String, ahead: Int = 1, produce: sending @escaping () throws -> Element?) {
        let exchange = Exchange(room: ahead)
        self.exchange = exchange
        let work = Work(produce: produce)
        let thread = Thread {
            while exchange.waitForRoom() {
                let result = Result { try work.produce() }
                exchange.put(result)
                guard case .success(.some) = result else { break }
            }
            exchange.end()
        }
        thread.name = name
        // What a main thread has; macOS gives other threads half a megabyte, and decoders may want more.
        thread.stackSize = 8 << 20
        thread.start()
    }

    deinit { exchange.close() }

    /// Stops the thread, and waits for the element that it is producing: for work that must not outlive its owner.
    package func end() { exchange.closeAndWait() }

    /// The next element, `nil` after the last; waits until it is made.
    package func next() throws -> Element? { try exchange.take().get() }

    /// What ``next()`` will give, where that is made already; waits until it is made where `waits`. `nil` as well where
    /// there is none, and where making it failed.
    package func upcoming(waits: Bool) -> Element? { exchange.first(waits: waits) }

    /// Carries the closure to its thread. Sendable because the closure is handed over: nothing else keeps it.
    private struct Work: @unchecked Sendable {
        let produce: () throws -> Element?
    }

    /// Places for a few elements, in order. Sendable because all of it is guarded by the condition's lock.
    private final class Exchange: @unchecked Sendable {
        private let condition = NSCondition()
        private let room: Int
        /// Whether nothing is made since all places were full, until half of them are empty: to wake a thread costs time, and
        /// then it should do several elements' work.
        private var isResting = false
        private var elements: [Result<Element?, any Error>] = []
        private var isClosed = false
        private var isDone = false
        private var isEnded = false

        init(room: Int) { self.room = room }

        /// The element that is next, if it is made, or when it is.
        func first(waits: Bool) -> Element? {
            condition.lock()
            defer { condition.unlock() }
            while waits, elements.isEmpty, !isDone { condition.wait() }
            guard case .success(let element) = elements.first else { return nil }
            return element
        }

        /// Waits until there is room for an element; false once no more are wanted.
        func waitForRoom() -> Bool {
            condition.lock()
            defer { condition.unlock() }
            isResting = elements.count >= room
            while isResting, !isClosed { condition.wait() }
            return !isClosed
        }

        func put(_ result: Result<Element?, any Error>) {
            condition.lock()
            defer { condition.unlock() }
            elements.append(result)
            condition.broadcast()
        }

        func take() -> Result<Element?, any Error> {
            condition.lock()
            defer { condition.unlock() }
            if isDone { return .success(nil) }
            while true {
                guard !elements.isEmpty else {
                    condition.wait()
                    continue
                }
                let result = elements.removeFirst()
                if case .success(.some) = result {} else { isDone = true }
                if isResting, elements.count <= room / 2 {
                    isResting = false
                    condition.broadcast()
                }
                return result
            }
        }

        func close() {
            condition.lock()
            defer { condition.unlock() }
            isClosed = true
            condition.broadcast()
        }

        func closeAndWait() {
            close()
            condition.lock()
            defer { condition.unlock() }
            while !isEnded { condition.wait() }
        }

        /// The thread makes nothing any more.
        func end() {
            condition.lock()
            defer { condition.unlock() }
            isEnded = true
            condition.broadcast()
        }
    }
}
