import Foundation

/// Runs work items one after the other on a thread of its own, while the caller continues.
///
/// One piece waits at most: the next one is taken when the one before has begun. An error ends the work; it comes out of the next
/// call.
package final class BackgroundWork: Sendable {
    private let exchange = Exchange()

    /// Starts the thread.
    package init(name: String) {
        let exchange = exchange
        let thread = Thread { while let piece = exchange.take() { exchange.done(Result(catching: piece)) } }
        thread.name = name
        thread.start()
    }

    deinit { exchange.close() }

    /// Hands a piece of work over.
    ///
    /// - Throws: what an earlier piece has thrown.
    package func submit(_ piece: @escaping @Sendable () throws -> Void) throws { try exchange.put(piece) }

    /// Waits until everything is done.
    ///
    /// - Throws: what a piece has thrown.
    package func finish() throws { try exchange.waitUntilIdle() }

    /// The place for a piece. Sendable because all of it is guarded by the condition's lock.
    private final class Exchange: @unchecked Sendable {
        private let condition = NSCondition()
        private var piece: (@Sendable () throws -> Void)?
        private var isBusy = false
        private var isClosed = false
        private var failure: (any Error)?

        func put(_ piece: @escaping @Sendable () throws -> Void) throws {
            condition.lock()
            defer { condition.unlock() }
            while self.piece != nil, failure == nil { condition.wait() }
            if let failure { throw failure }
            self.piece = piece
            condition.broadcast()
        }

        /// The next piece; waits for it. `nil` where none will come.
        func take() -> (@Sendable () throws -> Void)? {
            condition.lock()
            defer { condition.unlock() }
            while piece == nil, !isClosed { condition.wait() }
            guard let taken = piece else { return nil }
            (piece, isBusy) = (nil, true)
            condition.broadcast()
            return taken
        }

        func done(_ result: Result<Void, any Error>) {
            condition.lock()
            defer { condition.unlock() }
            isBusy = false
            if case .failure(let error) = result {
                failure = failure ?? error
                piece = nil
            }
            condition.broadcast()
        }

        func waitUntilIdle() throws {
            condition.lock()
            defer { condition.unlock() }
            while isBusy || piece != nil { condition.wait() }
            if let failure { throw failure }
        }

        func close() {
            condition.lock()
            defer { condition.unlock() }
            isClosed = true
            condition.broadcast()
        }
    }
}
