import Foundation
import Synchronization
import Testing

@testable import GraftSystem

@Suite struct PrefetcherTests {
    @Test func elementsComeInOrderAndAnErrorInItsPlace() throws {
        var count = 0
        let prefetcher = Prefetcher<Int>(name: "test", ahead: 3) {
            count += 1
            guard count < 5 else { throw GraftError(.file, "the disk is full") }
            return count
        }
        #expect(try (0..<4).map { _ in try prefetcher.next() } == [1, 2, 3, 4])
        #expect(throws: GraftError.self) { try prefetcher.next() }
        #expect(try prefetcher.next() == nil)
    }

    /// Whoever ends it knows that nothing is made any more.
    @Test func endingWaitsForTheElementThatIsMade() throws {
        let isMaking = Mutex(false)
        let prefetcher = Prefetcher<Int>(name: "test", ahead: 100) {
            isMaking.withLock { $0 = true }
            Thread.sleep(forTimeInterval: 0.02)
            isMaking.withLock { $0 = false }
            return 1
        }
        _ = try prefetcher.next()
        prefetcher.end()
        #expect(isMaking.withLock { !$0 })
    }

    @Test func moreIsMadeWhenHalfOfThePlacesAreEmpty() throws {
        let made = Mutex(0)
        let prefetcher = Prefetcher<Int>(name: "test", ahead: 4) {
            made.withLock {
                $0 += 1
                return $0
            }
        }
        while made.withLock({ $0 < 4 }) { Thread.sleep(forTimeInterval: 0.001) }
        #expect(try prefetcher.next() == 1)
        Thread.sleep(forTimeInterval: 0.02)
        #expect(made.withLock { $0 } == 4)
        #expect(try prefetcher.next() == 2)
        while made.withLock({ $0 < 6 }) { Thread.sleep(forTimeInterval: 0.001) }
        #expect(try (3...6).map { _ in try prefetcher.next() } == [3, 4, 5, 6])
    }

    @Test func endingOneThatIsThroughReturnsAtOnce() throws {
        let prefetcher = Prefetcher<Int>(name: "test") { nil }
        #expect(try prefetcher.next() == nil)
        prefetcher.end()
    }
}
