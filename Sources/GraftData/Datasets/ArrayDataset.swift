import GraftGraph

/// Examples in memory: tensors whose first axis counts the examples.
public struct ArrayDataset: Dataset {
    /// A tensor for each input of the model.
    public let inputs: [Tensor]
    /// A tensor for each output of the model; empty where only inputs are known.
    public let targets: [Tensor]
    /// The classes' names, where they are known.
    public let classNames: [String]?
    /// How bytes became these inputs, where that is known.
    public let inputRule: InputRule?
    /// The number of examples.
    public let count: Int

    /// Examples for a model with one input and one output.
    ///
    /// - Throws: ``GraftError`` with code `data` where the numbers of examples differ.
    public init(
        inputs: Tensor, targets: Tensor? = nil, classNames: [String]? = nil, inputRule: InputRule? = nil
    ) throws(GraftError) {
        try self.init(
            inputs: [inputs], targets: targets.map { [$0] } ?? [], classNames: classNames, inputRule: inputRule)
    }

    /// Examples for a model with several inputs or outputs.
    ///
    /// - Throws: ``GraftError`` with code `data` where the numbers of examples differ or there is no input.
    public init(
        inputs: [Tensor], targets: [Tensor] = [], classNames: [String]? = nil, inputRule: InputRule? = nil
    ) throws(GraftError) {
        let tensors = inputs + targets
        guard let first = inputs.first, first.shape.rank > 0, tensors.allSatisfy({ $0.shape.rank > 0 }) else {
            throw GraftError(
                .data, "a dataset needs at least one input tensor, each with a first axis for the examples")
        }
        guard tensors.allSatisfy({ $0.shape[0] == first.shape[0] }) else {
            let counts = tensors.map { String($0.shape[0]) }.joined(separator: ", ")
            throw GraftError(.data, "inputs and targets must have as many examples each; they have \(counts)")
        }
        (self.inputs, self.targets, self.classNames, self.inputRule) = (inputs, targets, classNames, inputRule)
        count = first.shape[0]
    }

    /// These examples, in this order.
    ///
    /// - Throws: ``GraftError`` with code `argument` for a number that is no example's.
    public func batch(_ indices: [Int]) throws -> Batch {
        guard let wrong = indices.first(where: { !(0..<count).contains($0) }) else {
            return Batch(
                indices: indices, inputs: inputs.map { $0.rows(indices) }, targets: targets.map { $0.rows(indices) })
        }
        throw GraftError(.argument, "there is no example \(wrong) in a dataset of \(count)")
    }

    /// The targets of these examples, in this order.
    ///
    /// - Throws: ``GraftError`` with code `argument` for a number that is no example's.
    public func targets(of indices: [Int]) throws -> [Tensor] {
        if let wrong = indices.first(where: { !(0..<count).contains($0) }) {
            throw GraftError(.argument, "there is no example \(wrong) in a dataset of \(count)")
        }
        return targets.map { $0.rows(indices) }
    }

    /// A hash (64-bit FNV-1a over the bits) of the example's inputs and their shapes.
    public func fingerprint(of index: Int) throws -> String? {
        guard (0..<count).contains(index) else {
            throw GraftError(.argument, "there is no example \(index) in a dataset of \(count)")
        }
        var hash = StableHash()
        for input in inputs {
            for dimension in input.shape.dimensions.dropFirst() { hash.combine(UInt64(truncatingIfNeeded: dimension)) }
            // Integers as they are: floats do not hold all of them.
            let words = input.elementType == .int32 ? input : input.stored(as: .float32)
            if words.elementType == .int32 { hash.combine(UInt64(UInt32.max)) }
            let size = input.count / count
            words.withUnsafeStoredBytes { bytes in
                for word in bytes.bindMemory(to: UInt32.self)[(index * size)..<((index + 1) * size)] {
                    hash.combine(UInt64(word))
                }
            }
        }
        return "array-" + String(hash.value, radix: 16)
    }
}

/// A hash that is the same in every process, 64-bit FNV-1a: among a million examples, two meet by chance with a
/// probability of 3e-8.
private struct StableHash {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325
    mutating func combine(_ word: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) {
            value = (value ^ ((word >> UInt64(shift)) & 0xFF)) &* 0x0000_0100_0000_01B3
        }
    }
}
