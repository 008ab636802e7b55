import GraftData
import GraftGraph
import Testing

@Suite struct ConcatenatedSourceTests {
    /// Examples of one number, 100 times the dataset's number and their own.
    private struct Numbered: Dataset {
        let number: Int
        let count: Int
        var unreadable: Set<Int> = []
        var classNames: [String]? { nil }
        var inputRule: InputRule? { nil }

        func batch(_ indices: [Int]) throws -> Batch {
            let kept = indices.filter { !unreadable.contains($0) }
            let values = Tensor(kept.map { Float(100 * number + $0) }, shape: [kept.count, 1])
            return Batch(
                indices: kept, inputs: [values], targets: [values],
                failures: indices.filter(unreadable.contains).map {
                    ExampleFailure(index: $0, path: "\(number)/\($0)", message: "damaged")
                })
        }

        func fingerprint(of index: Int) throws -> String? { "\(number) \(index)" }
    }

    @Test func batchesGoFromOneDatasetToTheNext() throws {
        let source = ConcatenatedSource([Numbered(number: 1, count: 3), Numbered(number: 2, count: 4)])
        let order = [0, 1, 2].map { source.number(of: $0, in: 0) } + [0, 2, 3].map { source.number(of: $0, in: 1) }
        let batch = try source.fetch(order)
        #expect(batch.indices == order)
        #expect(batch.tensors[0].scalars == [100, 101, 102, 200, 202, 203])
        let segments = source.segments(of: batch.indices)
        #expect(segments.map(\.part) == [0, 1])
        #expect(segments.map(\.rows) == [0..<3, 3..<6])
        #expect(segments.map(\.indices) == [[0, 1, 2], [0, 2, 3]])
    }

    @Test func anEmptyDatasetHasNoExamples() throws {
        let source = ConcatenatedSource([Numbered(number: 1, count: 0), Numbered(number: 2, count: 2)])
        #expect(source.segments(of: [0, 1]).map(\.part) == [1])
        #expect(try source.fetch([1]).tensors[0].scalars == [201])
    }

    @Test func failuresBelongToTheirDataset() throws {
        let source = ConcatenatedSource([
            Numbered(number: 1, count: 3, unreadable: [1]), Numbered(number: 2, count: 3, unreadable: [0]),
        ])
        let batch = try source.fetch(Array(0..<6))
        #expect(batch.indices == [0, 2, 4, 5])
        let failures = batch.failures.map(source.located)
        #expect(failures.map(\.part) == [0, 1])
        #expect(failures.map(\.failure.index) == [1, 0])
        #expect(failures.map(\.failure.path) == ["1/1", "2/0"])
    }
}
