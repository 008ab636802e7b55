import Synchronization
import Testing

@testable import GraftSystem

@Suite struct BackgroundWorkTests {
    @Test func piecesAreDoneInOrder() throws {
        let work = BackgroundWork(name: "test")
        let done = Mutex([Int]())
        for number in 0..<100 { try work.submit { done.withLock { $0.append(number) } } }
        try work.finish()
        #expect(done.withLock { $0 } == Array(0..<100))
    }

    @Test func anErrorEndsTheWorkAndComesOut() throws {
        let work = BackgroundWork(name: "test")
        let done = Mutex([Int]())
        let error = #expect(throws: GraftError.self) {
            for number in 0..<10 {
                try work.submit {
                    guard number < 3 else { throw GraftError(.file, "the disk is full") }
                    done.withLock { $0.append(number) }
                }
            }
            try work.finish()
        }
        #expect(error?.message == "the disk is full")
        #expect(throws: GraftError.self) { try work.finish() }
        #expect(done.withLock { $0 } == [0, 1, 2])
    }
}
