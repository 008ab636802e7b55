/// `operand`: reduced over the axes, which stay with size 1.
public struct Reduction: Hashable, Sendable {
    /// What is made of the numbers along the axes.
    public var function: ReductionFunction
    /// The axes, from 0.
    public var axes: [Int]

    /// A reduction over these axes.
    public init(_ function: ReductionFunction, axes: [Int]) { (self.function, self.axes) = (function, axes) }
}

/// Functions of many numbers.
public enum ReductionFunction: Hashable, Sendable, CaseIterable {
    /// The sum.
    case sum
    /// The mean.
    case mean
    /// The largest.
    case maximum
}

extension Reduction: OperationRule {
    package var name: String { "\(function)Reduction" }

    package var operandCount: Int? { 1 }

    package func shape(of operands: [Shape]) throws(GraftError) -> Shape {
        var result = operands[0]
        guard Set(axes).count == axes.count, axes.allSatisfy({ result.dimensions.indices.contains($0) }) else {
            throw mismatch("axes \(axes) are not distinct axes of \(result)")
        }
        for axis in axes { result[axis] = 1 }
        return result
    }

    /// The gradient repeated along the axes; that of a maximum shared among equals.
    package func gradient(
        ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
    ) throws(GraftError) -> ValueID? {
        let (x, y) = (step.operand(0), step.value)
        let shape = graph.shape(of: x)
        switch function {
        case .sum: return try graph.broadcast(step.gradient, to: shape)
        case .mean:
            let share = Float(step.node.shape.elementCount) / Float(shape.elementCount)
            return try graph.broadcast(graph.scaled(step.gradient, by: share), to: shape)
        case .maximum:
            let winners = try graph.binary(.equal, x, y)
            let count = try graph.add(.reduction(Reduction(.sum, axes: axes)), [winners])
            return try graph.binary(.multiply, winners, graph.binary(.divide, step.gradient, count))
        }
    }

    package func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
        let operand = operands[0]
        var reduced = ReferenceArray(repeating: function == .maximum ? -.infinity : 0, shape: result)
        let steps = zip(result.dimensions, result.strides).map { size, stride in size == 1 ? 0 : stride }
        forEachPosition(in: operand.shape, steps: steps) { from, to in
            switch function {
            case .sum, .mean: reduced.values[to] += operand.values[from]
            case .maximum: reduced.values[to] = max(reduced.values[to], operand.values[from])
            }
        }
        if function == .mean {
            let count = Double(operand.shape.elementCount) / Double(result.elementCount)
            reduced.values = reduced.values.map { $0 / count }
        }
        return reduced
    }

    package func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool { !axes.contains(0) }
}

extension Reduction: CustomStringConvertible {
    /// With all attributes, as names of features in the cache have them.
    public var description: String { "reduction(\(String(reflecting: function)), axes: \(axes))" }
}

extension Graph {
    /// A reduction over some axes.
    ///
    /// - Parameters:
    ///   - function: the sum, mean or maximum.
    ///   - operand: what is reduced.
    ///   - axes: the axes, negative ones counted from the last; all of them where `nil`.
    ///   - keepDimensions: whether the axes stay, with size 1.
    public mutating func reduce(
        _ function: ReductionFunction, _ operand: ValueID, axes: [Int]? = nil, keepDimensions: Bool = false
    ) throws(GraftError) -> ValueID {
        let shape = shape(of: operand)
        let wanted = (axes ?? Array(0..<shape.rank)).map { $0 < 0 ? $0 + shape.rank : $0 }.sorted()
        guard Set(wanted).count == wanted.count, wanted.allSatisfy({ (0..<shape.rank).contains($0) }) else {
            throw GraftError(.shape, "operation reduction: axes \(axes ?? []) are not distinct axes of \(shape)")
        }
        // Axis 0 may be the batch: a graph for one example must mix examples where one for several does.
        let long = wanted.filter { shape[$0] != 1 || $0 == 0 }
        let reduced = long.isEmpty ? operand : try add(.reduction(Reduction(function, axes: long)), [operand])
        guard !keepDimensions else { return reduced }
        let kept = Set(wanted)
        return try reshape(reduced, to: Shape((0..<shape.rank).filter { !kept.contains($0) }.map { shape[$0] }))
    }
}
