/// `operand`: the largest numbers along the last axis, largest first, or their positions.
package struct TopK: Hashable, Sendable {
    /// What is given of the largest.
    package enum Result: Hashable, Sendable {
        /// The numbers.
        case values
        /// Where they are along the axis, from 0.
        case positions
    }

    /// How many.
    package let count: Int
    /// What of them.
    package let result: Result

    /// The `count` largest.
    package init(_ count: Int, _ result: Result) { (self.count, self.result) = (count, result) }

    /// The positions of the largest numbers of a row, largest first; the earlier comes first among equals, and what is not
    /// a number before all others.
    package func positions(in row: [Double]) -> [Int] {
        let sorted = row.indices.sorted { left, right in
            let (a, b) = (row[left], row[right])
            if a.isNaN || b.isNaN { return a.isNaN && (!b.isNaN || left < right) }
            return a > b || (a == b && left < right)
        }
        return Array(sorted.prefix(count))
    }
}

extension TopK: OperationRule {
    package var name: String { result == .values ? "topK" : "topKPositions" }

    package var operandCount: Int? { 1 }

    package func shape(of operands: [Shape]) throws(GraftError) -> Shape {
        let operand = operands[0]
        guard operand.rank > 0, (0...operand.last).contains(count) else {
            throw mismatch("\(operand) has not \(count) numbers along its last axis")
        }
        return Shape(operand.dimensions.dropLast() + [count])
    }

    /// The gradient of each value goes to its position in the operand; positions have none.
    package func gradient(
        ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
    ) throws(GraftError) -> ValueID? {
        guard result == .values else { return nil }
        let (shape, largest) = (graph.shape(of: step.operand(0)), step.node.shape)
        let positions = try graph.topK(step.operand(0), count).positions
        // 1 where an element of the row is the one at a position of the result: […, count, row].
        let places = Shape(largest.dimensions + [1])
        let row = try graph.constant(Tensor((0..<shape.last).map(Float.init), shape: [shape.last]))
        let isTaken = try graph.binary(.equal, graph.reshape(positions, to: places), row)
        let shares = try graph.binary(.multiply, isTaken, graph.reshape(step.gradient, to: places))
        return try graph.reduce(.sum, shares, axes: [-2])
    }

    package func reference(_ operands: [ReferenceArray], result shape: Shape) -> ReferenceArray {
        let (values, length) = (operands[0].values, operands[0].shape.last)
        var largest: [Double] = []
        largest.reserveCapacity(shape.elementCount)
        for start in stride(from: 0, to: values.count, by: max(length, 1)) {
            for position in positions(in: Array(values[start..<start + length])) {
                largest.append(result == .values ? values[start + position] : Double(position))
            }
        }
        return ReferenceArray(largest, shape: shape)
    }

    package func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool { result.rank > 1 }
}

extension Graph {
    /// The `count` largest elements along the last axis, largest first, and their positions.
    ///
    /// The earlier comes first among equals; NaN counts as larger than all. Positions are whole numbers
    /// from 0, stored as any value's, for ``gather(_:at:axis:)``; the values' gradient goes to their positions.
    ///
    /// - Returns: two values of the operand's shape with `count` as its last size.
    /// - Throws: ``GraftError`` with code `shape` where the last axis is shorter.
    public mutating func topK(
        _ operand: ValueID, _ count: Int
    ) throws(GraftError) -> (values: ValueID, positions: ValueID) {
        let values = try add(.custom(AnyCustomOperation(TopK(count, .values))), [operand])
        return (values, try add(.custom(AnyCustomOperation(TopK(count, .positions))), [operand]))
    }
}
