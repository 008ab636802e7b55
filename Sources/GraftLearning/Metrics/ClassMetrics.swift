/// How a model does on the examples of one class.
public struct ClassMetrics: Sendable, Hashable {
    /// The class's name, `class 2` and so on where none is known.
    public var name: String
    /// How many examples are of this class.
    public var count: Int
    /// How many of them are predicted right.
    public var correct: Int
    /// How many examples are predicted to be of this class.
    public var predicted: Int

    /// The metrics of a class.
    package init(name: String, count: Int, correct: Int, predicted: Int) {
        (self.name, self.count, self.correct, self.predicted) = (name, count, correct, predicted)
    }

    /// The share of this class's examples that are predicted right, `nil` where there are none.
    public var recall: Double? { count > 0 ? Double(correct) / Double(count) : nil }
    /// The share of right ones among those predicted to be of this class, `nil` where there are none.
    public var precision: Double? { predicted > 0 ? Double(correct) / Double(predicted) : nil }
    /// The harmonic mean of both, `2 · correct / (count + predicted)`; `nil` where the class was neither there nor
    /// predicted.
    public var f1: Double? { count + predicted > 0 ? 2 * Double(correct) / Double(count + predicted) : nil }
}

/// The former name of ``ClassMetrics``.
@available(*, deprecated, renamed: "ClassMetrics")
public typealias ClassFigures = ClassMetrics
