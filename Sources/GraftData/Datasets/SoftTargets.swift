import GraftGraph

/// Examples whose class numbers are given as probabilities, so that classes can be mixed: a row with a 1 at the class's place for a
/// classifier with an output for each class, the probability of the second class for one output.
public struct SoftTargets: Dataset {
    private let examples: any Dataset
    /// The outputs of the classifier.
    public let outputs: Int

    /// Examples with one target, a class number from 0.
    public init(_ examples: any Dataset, outputs: Int) { (self.examples, self.outputs) = (examples, outputs) }

    /// The number of examples.
    public var count: Int { examples.count }
    /// Those of the examples.
    public var views: Int { examples.views }
    /// Those of the examples.
    public var classNames: [String]? { examples.classNames }
    /// That of the examples.
    public var inputRule: InputRule? { examples.inputRule }
    /// As the examples.
    public var computesTargets: Bool { examples.computesTargets }
    /// That of the example: inputs are the same.
    public func fingerprint(of index: Int) throws -> String? { try examples.fingerprint(of: index) }
    /// That of the example.
    public func name(of index: Int) -> String? { examples.name(of: index) }

    /// These examples.
    public func batch(_ indices: [Int]) throws -> Batch {
        var batch = try examples.batch(indices)
        batch.targets = try batch.targets.map(soft)
        return batch
    }

    /// The targets of these examples.
    public func targets(of indices: [Int]) throws -> [Tensor] { try examples.targets(of: indices).map(soft) }

    private func soft(_ numbers: Tensor) throws(GraftError) -> Tensor {
        guard outputs > 1 else { return numbers }
        guard let wrong = numbers.withUnsafeBuffer({ $0.first { !(0..<Float(outputs)).contains($0) } }) else {
            return Tensor(uninitialized: [numbers.count, outputs]) { rows in
                rows.initialize(repeating: 0)
                for row in 0..<numbers.count { rows[row * outputs + Int(numbers[row])] = 1 }
            }
        }
        throw GraftError(.data, "the class number \(wrong) is none of \(outputs) outputs, counted from 0")
    }
}
