import Dispatch
import Synchronization

/// Pieces of work that need nothing of one another.
enum ParallelRows {
    /// Does each piece once, on all processors.
    static func perform(count: Int, _ body: @Sendable (Int) -> Void) {
        DispatchQueue.concurrentPerform(iterations: count, execute: body)
    }

    /// What each piece gives, in order.
    static func map<Value: Sendable>(count: Int, _ body: @Sendable (Int) -> Value) -> [Value] {
        let results = Mutex([Int: Value]())
        perform(count: count) { index in
            let value = body(index)
            results.withLock { $0[index] = value }
        }
        return results.withLock { results in (0..<count).compactMap { results[$0] } }
    }
}
