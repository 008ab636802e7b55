import GraftData
import GraftTestSupport
import Testing

@Suite struct DatasetTests {
    let inputs = counting([3, 2, 2])
    let labels = Tensor([0, 1, 0], shape: [3])

    @Test func batchTakesRowsInOrder() throws {
        let dataset = try ArrayDataset(inputs: inputs, targets: labels, classNames: ["a", "b"])
        let batch = try dataset.batch([2, 0])
        #expect(batch.indices == [2, 0])
        #expect(batch.inputs == [Tensor([9, 10, 11, 12, 1, 2, 3, 4], shape: [2, 2, 2])])
        #expect(batch.targets == [Tensor([0, 0], shape: [2])])
        #expect(try dataset.targets(of: [1, 2]) == [Tensor([1, 0], shape: [2])])
        #expect(batch.failures.isEmpty && dataset.count == 3)
    }

    @Test func wrongNumbersAreErrors() throws {
        let dataset = try ArrayDataset(inputs: inputs)
        for index in [-1, 3] {
            #expect(throws: GraftError.self) { try dataset.batch([0, index]) }
            #expect(throws: GraftError.self) { try dataset.fingerprint(of: index) }
            #expect(throws: GraftError.self) { try dataset.targets(of: [index]) }
        }
    }

    @Test func countsMustAgree() throws {
        #expect(throws: GraftError.self) { try ArrayDataset(inputs: inputs, targets: Tensor(zeros: [2])) }
        #expect(throws: GraftError.self) { try ArrayDataset(inputs: [], targets: []) }
        #expect(throws: GraftError.self) { try ArrayDataset(inputs: Tensor(1)) }
    }

    @Test func fingerprintIsOfTheContentAlone() throws {
        let dataset = try ArrayDataset(inputs: Tensor([1, 2, 1, 2, 1, 3], shape: [3, 2]))
        let prints = try (0..<3).map { try dataset.fingerprint(of: $0) }
        #expect(prints[0] == prints[1])
        #expect(prints[0] != prints[2])
        let reshaped = try ArrayDataset(inputs: Tensor([1, 2], shape: [1, 2, 1]))
        #expect(try reshaped.fingerprint(of: 0) != prints[0])
    }

    /// Also of integers that float32 does not hold.
    @Test func integersStayExact() throws {
        let ids: [Int32] = [16_777_217, 16_777_216, -7, .max]
        let dataset = try ArrayDataset(inputs: Tensor(ids, shape: [4, 1]))
        let prints = Set(try (0..<4).compactMap { try dataset.fingerprint(of: $0) })
        #expect(prints.count == 4)
        let batch = try dataset.batch([3, 0])
        #expect(batch.inputs[0].int32Scalars == [.max, 16_777_217])
        #expect(batch.inputs[0].isFinite)
        var source = SourceBatch(indices: [0], inputs: [.dense(Tensor(ids, shape: [4, 1]))])
        source.append(SourceBatch(indices: [1], inputs: [.dense(Tensor([Int32(16_777_219)], shape: [1, 1]))]))
        #expect(source.tensors[0].int32Scalars == ids + [16_777_219])
        #expect(source.tensors[0].prefix(rows: 2).int32Scalars == Array(ids[..<2]))
        #expect(
            source.tensors[0].prefix(rows: 1).padded(toRows: 3).int32Scalars == [16_777_217, 16_777_217, 16_777_217])
    }
}
