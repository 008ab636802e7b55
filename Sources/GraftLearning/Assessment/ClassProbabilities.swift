/// What a classifier gave each class, an example a row.
public struct ClassProbabilities: Sendable, Hashable {
    /// How many classes there are.
    public let classCount: Int
    /// Row after row.
    public private(set) var values: [Double] = []

    /// No example yet.
    public init(classCount: Int) { self.classCount = max(classCount, 1) }

    /// How many examples there are.
    public var count: Int { values.count / classCount }

    /// Adds an example by a model's outputs: one number is the probability of the second of two classes.
    public mutating func append(outputs: [Double]) {
        let row = outputs.count == 1 ? [1 - outputs[0], outputs[0]] : outputs
        values += row.prefix(classCount) + [Double](repeating: 0, count: max(classCount - row.count, 0))
    }

    /// What one example's classes were given.
    public subscript(row: Int) -> ArraySlice<Double> { values[(row * classCount)..<((row + 1) * classCount)] }

    /// What a class of an example was given.
    public subscript(row: Int, label: Int) -> Double { values[row * classCount + label] }

    /// The likeliest class, the first of equals.
    public func best(_ row: Int) -> Int {
        let start = row * classCount
        return (0..<classCount).max {
            values[start + $0] < values[start + $1] || (values[start + $0] == values[start + $1] && $0 > $1)
        } ?? 0
    }

    /// The probability of the likeliest class.
    public func confidence(_ row: Int) -> Double { self[row, best(row)] }

    /// Some of the rows, in this order.
    public func rows(_ rows: some Sequence<Int>) -> ClassProbabilities {
        var result = ClassProbabilities(classCount: classCount)
        for row in rows { result.values += self[row] }
        return result
    }
}
