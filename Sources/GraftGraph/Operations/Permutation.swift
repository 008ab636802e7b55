/// `operand`: its axes in another order; axis i of the result is axis `axes[i]` of the operand.
package struct Permutation: Hashable, Sendable {
    /// The operand's axes in the result's order.
    package let axes: [Int]

    /// An order of the axes.
    package init(axes: [Int]) { self.axes = axes }
}

extension Permutation: OperationRule {
    package var name: String { "permutation" }

    package var operandCount: Int? { 1 }

    package func shape(of operands: [Shape]) throws(GraftError) -> Shape {
        guard axes.sorted() == Array(0..<operands[0].rank) else {
            throw mismatch("axes \(axes) are not the axes of \(operands[0]) in another order")
        }
        return Shape(axes.map { operands[0][$0] })
    }

    /// The gradient with its axes back in their places.
    package func gradient(
        ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
    ) throws(GraftError) -> ValueID? {
        try graph.permute(step.gradient, axes: axes.indices.sorted { axes[$0] < axes[$1] })
    }

    package func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
        let strides = operands[0].shape.strides
        return operands[0].gathered(result, steps: axes.map { strides[$0] })
    }

    package func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool { axes.first == 0 }
}

extension Graph {
    /// The operand with its axes in another order: the transposition of a matrix is `[1, 0]`.
    ///
    /// - Parameter axes: for each axis of the result the operand's axis that it is, a negative one counted from the last.
    /// - Returns: the shape `[shape[axes[0]], shape[axes[1]], …]`.
    /// - Throws: ``GraftError`` with code `shape` where the axes are not those of the operand, each once.
    public mutating func permute(_ operand: ValueID, axes: [Int]) throws(GraftError) -> ValueID {
        let rank = shape(of: operand).rank
        let axes = axes.map { $0 < 0 ? $0 + rank : $0 }
        if axes == Array(0..<rank) { return operand }
        return try add(.custom(AnyCustomOperation(Permutation(axes: axes))), [operand])
    }
}
