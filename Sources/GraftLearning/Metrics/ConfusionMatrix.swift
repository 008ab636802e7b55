import GraftGraph
import GraftModel

/// How often each class was there and how it was predicted.
///
/// Predictions of one output say class 1 where they are above 0.5; of several, the first largest one's class.
public struct ConfusionMatrix: Sendable, Hashable {
    /// `counts[i][j]`: how many examples of class i were predicted to be of class j.
    public private(set) var counts: [[Int]] = []

    /// A matrix without examples.
    public init() {}

    /// Adds a batch: predictions of shape [batch, classes] or [batch, 1]; targets of class numbers or one a class.
    public mutating func add(_ predictions: Tensor, _ targets: Tensor) {
        let outputs = predictions.shape.last
        let rows = predictions.count / max(outputs, 1)
        let classCount = max(outputs, 2)
        if counts.isEmpty { counts = Array(repeating: Array(repeating: 0, count: classCount), count: classCount) }
        let targetSize = targets.count / max(rows, 1)
        for row in 0..<rows {
            let predicted = Self.classNumber(predictions, row: row, size: outputs)
            let there =
                targetSize == outputs
                ? Self.classNumber(targets, row: row, size: outputs) : Int(exactly: targets[row].rounded()) ?? -1
            guard counts.indices.contains(there), counts.indices.contains(predicted) else { continue }
            counts[there][predicted] += 1
        }
    }

    /// The metrics of each class, in the order of the class numbers.
    ///
    /// - Parameter names: the classes' names; `class 0`, `class 1`, … where `nil`.
    public func classMetrics(names: [String]?) -> [ClassMetrics] {
        counts.indices.map { number in
            let known = names.flatMap { $0.indices.contains(number) ? $0[number] : nil }
            let name = known ?? ModelMetadata.nameOfClass(number)
            return ClassMetrics(
                name: name, count: counts[number].reduce(0, +), correct: counts[number][number],
                predicted: counts.reduce(0) { $0 + $1[number] })
        }
    }

    /// The former name of ``classMetrics(names:)``.
    @available(*, deprecated, renamed: "classMetrics(names:)")
    public func figures(names: [String]?) -> [ClassMetrics] { classMetrics(names: names) }

    /// The pairs of classes of which the first was taken for the second, the most frequent first.
    ///
    /// - Parameter names: the classes' names; `class 0`, `class 1`, … where `nil`.
    public func topConfusions(names: [String]?) -> [Confusion] {
        let names = classMetrics(names: names).map(\.name)
        let all = counts.indices.flatMap { number in
            counts[number].indices.filter { $0 != number && counts[number][$0] > 0 }.map {
                Confusion(name: names[number], predicted: names[$0], count: counts[number][$0])
            }
        }
        return all.sorted { ($1.count, $0.name, $0.predicted) < ($0.count, $1.name, $1.predicted) }
    }

    /// The class that a row of probabilities says: the first largest one, or whether the only one is beyond a half.
    private static func classNumber(_ tensor: Tensor, row: Int, size: Int) -> Int {
        guard size > 1 else { return tensor[row] > 0.5 ? 1 : 0 }
        let elements = tensor.elements(ofRow: row, size: size)
        return elements.indices.max { elements[$0] < elements[$1] || (elements[$0] == elements[$1] && $0 > $1) } ?? 0
    }
}

/// A class whose examples were taken for another one.
public struct Confusion: Sendable, Hashable {
    /// The class that they are of.
    public let name: String
    /// The class that was predicted.
    public let predicted: String
    /// How many examples.
    public let count: Int
}
