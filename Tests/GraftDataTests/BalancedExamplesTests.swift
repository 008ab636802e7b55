import GraftGraph
import Testing

@testable import GraftData

@Suite struct BalancedExamplesTests {
    /// Three views of five examples; the value is the number.
    private struct Views: Dataset {
        var (count, views) = (5, 3)
        var unreadable: Set<Int> = []
        var classNames: [String]? { nil }
        var inputRule: InputRule? { nil }
        func fingerprint(of index: Int) throws -> String? { "\(index)" }
        func targets(of indices: [Int]) throws -> [Tensor] {
            [Tensor(indices.map { $0 % 5 == 4 ? 1 : 0 }, shape: [indices.count])]
        }
        func batch(_ indices: [Int]) throws -> Batch {
            let read = indices.filter { !unreadable.contains($0 % 5) }
            return Batch(
                indices: read, inputs: [Tensor(read.map { Float($0) }, shape: [read.count, 1])],
                targets: try targets(of: read),
                failures: Set(indices).subtracting(read).map {
                    ExampleFailure(index: $0, path: "\($0)", message: "broken")
                })
        }
    }

    private static let labels = [0, 0, 0, 0, 1]

    @Test func eachClassHasAsManyAsTheLargest() throws {
        let balanced = try BalancedExamples(Views(), labels: Self.labels)
        #expect(balanced.count == 8 && balanced.views == 3)
        let batch = try balanced.batch(Array(0..<8))
        // The one of the second class comes four times, in another view each time that there is one.
        #expect(batch.inputs[0].scalars == [0, 1, 2, 3, 4, 9, 14, 4])
        #expect(batch.targets[0].scalars == [0, 0, 0, 0, 1, 1, 1, 1] && batch.indices == Array(0..<8))
        // The next epoch draws the next views.
        #expect(try balanced.batch([8, 12, 13]).inputs[0].scalars == [5, 9, 14])
        #expect(try balanced.fingerprint(of: 13) == "14")
        #expect(throws: GraftError.self) { try balanced.batch([24]) }
    }

    @Test func oneThatCannotBeReadIsMissingEachTime() throws {
        var views = Views()
        views.unreadable = [4]
        let batch = try BalancedExamples(views, labels: Self.labels).batch([3, 4, 5, 7])
        #expect(batch.indices == [3] && batch.inputs[0].scalars == [3])
        #expect(batch.failures.map(\.index) == [4, 5, 7])
    }

    @Test func labelsMustFit() throws {
        let error = #expect(throws: GraftError.self) { try BalancedExamples(Views(), labels: [0, 1]) }
        #expect(error?.message == "2 labels cannot balance 5 examples; give one for each")
    }
}
