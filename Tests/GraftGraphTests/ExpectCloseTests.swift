import GraftGraph
import GraftTestSupport
import Synchronization
import Testing

/// The helper that other tests stand on: it must fail where it should.
@Suite struct ExpectCloseTests {
    private let expected = ReferenceArray([1, 2, 3, 40], shape: [2, 2])

    private func issues(_ actual: ReferenceArray, tolerance: Double) -> [String] {
        let messages = Mutex<[String]>([])
        withKnownIssue(isIntermittent: true) {
            expectClose(actual, expected, tolerance: tolerance)
        } matching: { issue in
            messages.withLock { $0.append(issue.comments.map(\.rawValue).joined()) }
            return true
        }
        return messages.withLock { $0 }
    }

    @Test func theWorstElementIsNamed() throws {
        let message = try #require(issues(ReferenceArray([1.5, 2, 13, 40], shape: [2, 2]), tolerance: 1e-3).first)
        #expect(message.hasPrefix("element [1, 0] of (2, 2) is 13.0, expected 3.0; tolerance 0.001 of 40.0"))
    }

    @Test func whatIsWithinTheToleranceOfTheLargestPasses() {
        #expect(issues(ReferenceArray([1.03, 2, 3, 40], shape: [2, 2]), tolerance: 1e-3).isEmpty)
        #expect(issues(ReferenceArray([1.05, 2, 3, 40], shape: [2, 2]), tolerance: 1e-3).count == 1)
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity])
    func whatIsNoNumberFails(value: Double) {
        #expect(issues(ReferenceArray([1, 2, value, 40], shape: [2, 2]), tolerance: 1).count == 1)
    }

    @Test func anotherShapeFails() throws {
        let message = try #require(issues(ReferenceArray([1, 2, 3, 40], shape: [4]), tolerance: 1).first)
        #expect(message.hasPrefix("the shape is (4,), expected (2, 2)"))
    }
}
