import GraftData
import GraftGraph
import GraftModel

/// Examples whose ids are looked at before a model's tables are asked for them: a table gives zeros for an id that it has no
/// row for, which nobody would notice.
struct CheckedIDs: PooledDataset {
    private let examples: any Dataset
    private let ranges: [IDRange]
    private let inputNames: [String]

    /// The examples as they are, where the model has no embedding.
    static func of(_ examples: any Dataset, for model: Model) -> any Dataset {
        let ranges = model.idRanges
        guard !ranges.isEmpty else { return examples }
        return CheckedIDs(examples: examples, ranges: ranges, inputNames: model.inputs.map(\.layer.name))
    }

    var count: Int { examples.count }
    var views: Int { examples.views }
    var computesTargets: Bool { examples.computesTargets }
    var classNames: [String]? { examples.classNames }
    var inputRule: InputRule? { examples.inputRule }
    var inputCount: Int { (examples as? any PooledDataset)?.inputCount ?? inputNames.count }
    func targets(of indices: [Int]) throws -> [Tensor] { try examples.targets(of: indices) }
    func fingerprint(of index: Int) throws -> String? { try examples.fingerprint(of: index) }
    func name(of index: Int) -> String? { examples.name(of: index) }

    func batch(_ indices: [Int]) throws -> Batch { try checked(examples.batch(indices)) }

    func batch(_ indices: [Int], in memory: TensorPool) throws -> Batch {
        try checked((examples as? any PooledDataset)?.batch(indices, in: memory) ?? examples.batch(indices))
    }

    /// - Throws: `GraftError` with code `data` that names the first id without a row.
    private func checked(_ batch: Batch) throws(GraftError) -> Batch {
        for range in ranges where batch.inputs.indices.contains(range.input) {
            let input = batch.inputs[range.input]
            guard let position = input.firstID(outside: range.count) else { continue }
            let number = batch.indices[position / max(input.count / max(input.shape[0], 1), 1)]
            let name = examples.name(of: number).map { " (\($0))" } ?? ""
            let id = input.elementType == .int32 ? "\(input.int32Scalars[position])" : "\(input[position])"
            throw GraftError(
                .data,
                "example \(number)\(name) has the id \(id) in the input \(inputNames[range.input]), and the layer "
                    + "\(range.layer) has rows for 0 to \(range.count - 1) alone; give it a larger inputDim, or look at "
                    + "the vocabulary that gave the ids")
        }
        return batch
    }
}

extension Tensor {
    /// The position of the first element that names no row of so many; as `gather` takes them, fractions count as the next
    /// whole number towards 0.
    fileprivate func firstID(outside count: Int) -> Int? {
        guard elementType != .int32 else { return int32Scalars.firstIndex { $0 < 0 || $0 >= count } }
        return withUnsafeBuffer { $0.firstIndex { !($0 > -1 && $0 < Float(count)) } }
    }
}
