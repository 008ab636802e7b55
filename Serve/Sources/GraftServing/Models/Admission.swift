import Foundation
import Synchronization

/// How many images are taken at once, over all models: beyond that a request is refused at once, so that neither memory nor
/// waiting grows with the number of clients.
final class Admission: Sendable {
    let limit: Int
    private let taken = Mutex(0)

    init(limit: Int) { self.limit = limit }

    /// Images that are taken and not answered.
    var count: Int { taken.withLock(\.self) }

    /// Refuses before a body is read where it is certain that there is no room.
    func checkRoom() throws(Refusal) {
        if count >= limit { throw Self.full(limit) }
    }

    /// Does something with so many images.
    ///
    /// - Throws: 429 where there is no room for them now, 400 where there never is.
    func admit<Result>(_ count: Int, _ work: () async throws -> Result) async throws -> Result {
        guard count <= limit else {
            throw Refusal.badRequest("\(count) images in a request are more than the \(limit) that are taken at once")
        }
        let isIn = taken.withLock { taken in
            guard taken + count <= limit else { return false }
            taken += count
            return true
        }
        guard isIn else { throw Self.full(limit) }
        defer { taken.withLock { $0 -= count } }
        return try await work()
    }

    private static func full(_ limit: Int) -> Refusal {
        .busy("\(limit) images are waiting already, which is as many as are taken; try again soon")
    }
}

/// Threads that decode, as many as there are cores: what is asked for beyond them waits.
final class DecodingPool: Sendable {
    private let queue = OperationQueue()

    init(threads: Int) {
        queue.maxConcurrentOperationCount = threads
        queue.name = "graft-decode"
    }

    func perform<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.addOperation { continuation.resume(with: Result { try work() }) }
        }
    }
}
