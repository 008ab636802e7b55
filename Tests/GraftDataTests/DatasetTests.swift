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
}
