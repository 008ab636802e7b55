import GraftData
import GraftGraph

/// What examples' losses are multiplied with in training.
///
/// Source: keras/src/trainers/data_adapters/data_adapter_utils.py, `class_weight_to_sample_weights`, version 3.15.
struct ExampleWeights: Sendable {
    let classes: [Int: Float]
    let samples: [Float]?

    /// `nil` where no weights are given.
    ///
    /// - Parameter count: the number of examples.
    /// - Throws: `GraftError` with code `argument` for a weight that is negative or no number, `data` for another number
    ///   of weights than of examples.
    init?(classes: [Int: Float], samples: [Float]?, count: Int) throws(GraftError) {
        guard !classes.isEmpty || samples != nil else { return nil }
        if let samples, samples.count != count {
            throw GraftError(
                .data, "there are \(samples.count) sample weights for \(count) examples; give one for each")
        }
        if let (number, weight) = classes.first(where: { !($0.value >= 0 && $0.value.isFinite) }) {
            throw GraftError(.argument, "the weight of class \(number) is \(weight); it must be 0 or more")
        }
        if let index = samples?.firstIndex(where: { !($0 >= 0 && $0.isFinite) }) {
            throw GraftError(
                .argument, "the weight of example \(index) is \(samples?[index] ?? .nan); it must be 0 or more")
        }
        (self.classes, self.samples) = (classes, samples)
    }

    /// The weights of a batch's examples.
    ///
    /// - Parameters:
    ///   - indices: the examples' numbers, in any view.
    ///   - targets: class numbers, or a row with a number a class, of which the largest says the class.
    func weights(of indices: [Int], targets: Tensor) -> Tensor {
        let size = targets.count / max(indices.count, 1)
        let weights = indices.enumerated().map { row, index in
            let sample = samples.map { $0[index % $0.count] } ?? 1
            return classes.isEmpty ? sample : sample * (classes[classNumber(targets, row: row, size: size)] ?? 1)
        }
        return Tensor(weights, shape: [indices.count])
    }

    private func classNumber(_ targets: Tensor, row: Int, size: Int) -> Int {
        guard size > 1 else { return Int(exactly: targets[row].rounded(.toNearestOrEven)) ?? -1 }
        let elements = (0..<size).map { targets[row * size + $0] }
        return elements.indices.max { elements[$0] < elements[$1] || (elements[$0] == elements[$1] && $0 > $1) } ?? 0
    }
}
