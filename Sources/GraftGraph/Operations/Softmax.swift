#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Softmax over the last axis.
public enum Softmax: Hashable, Sendable {
    /// `operand`: `eˣ / Σ eˣ`.
    case softmax
    /// `operand`: the logarithm of softmax, stable.
    case logSoftmax
}

extension Softmax: OperationRule {
    package var name: String {
        switch self {
        case .softmax: "softmax"
        case .logSoftmax: "logSoftmax"
        }
    }

    package var operandCount: Int? { 1 }

    package func shape(of operands: [Shape]) throws(GraftError) -> Shape {
        guard operands[0].rank > 0 else { throw mismatch("needs at least one axis") }
        return operands[0]
    }

    /// `dx = y · (dy − Σ dy · y)` for softmax, `dx = dy − eʸ · Σ dy` for its logarithm; sums over the last axis.
    package func gradient(
        ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
    ) throws(GraftError) -> ValueID? {
        let (y, gradient) = (step.value, step.gradient)
        switch self {
        case .softmax:
            let mean = try graph.reduce(
                .sum, graph.binary(.multiply, gradient, y), axes: [-1], keepDimensions: true)
            return try graph.binary(.multiply, y, graph.binary(.subtract, gradient, mean))
        case .logSoftmax:
            let sum = try graph.reduce(.sum, gradient, axes: [-1], keepDimensions: true)
            let share = try graph.binary(.multiply, graph.unary(.exponential, y), sum)
            return try graph.binary(.subtract, gradient, share)
        }
    }

    /// The largest element is taken away first.
    package func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
        let operand = operands[0]
        var softmax = operand
        let length = operand.shape.last
        for start in stride(from: 0, to: operand.values.count, by: max(length, 1)) {
            let row = operand.values[start..<start + length]
            let largest = row.max() ?? 0
            let sum = row.reduce(0) { $0 + exp($1 - largest) }
            for position in row.indices {
                let shifted = operand.values[position] - largest
                softmax.values[position] = self == .logSoftmax ? shifted - log(sum) : exp(shifted) / sum
            }
        }
        return softmax
    }

    package func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool { operands[0].shape.rank > 1 }
}

extension Graph {
    /// Softmax over the last axis.
    public mutating func softmax(_ operand: ValueID) throws(GraftError) -> ValueID {
        try add(.softmax(.softmax), [operand])
    }

    /// The logarithm of softmax over the last axis, stable for large numbers.
    public mutating func logSoftmax(_ operand: ValueID) throws(GraftError) -> ValueID {
        try add(.softmax(.logSoftmax), [operand])
    }
}
