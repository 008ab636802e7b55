/// `operand, indices`: the slices of the operand along an axis that the indices name.
package struct Gather: Hashable, Sendable {
    /// The operand's axis that the indices count along.
    package let axis: Int

    /// Along an axis.
    package init(axis: Int) { self.axis = axis }
}

/// `indices, updates`: zeros of a size along an axis, with each update added to the slice that its index names. What
/// ``Gather`` takes, it puts back.
package struct ScatterAdd: Hashable, Sendable {
    /// The result's axis that the indices count along.
    package let axis: Int
    /// The result's size along it.
    package let size: Int

    /// Along an axis.
    package init(axis: Int, size: Int) { (self.axis, self.size) = (axis, size) }
}

/// The slices that indices name: an array as `outer` blocks of `size` slices of `inner` elements.
package struct IndexedSlices: Sendable {
    /// The blocks before the axis.
    package let outer: Int
    /// The slices of a block.
    package let size: Int
    /// The elements of a slice.
    package let inner: Int

    /// A shape divided at an axis.
    package init(_ shape: Shape, axis: Int) {
        outer = shape.dimensions[..<axis].reduce(1, *)
        size = shape[axis]
        inner = shape.dimensions[(axis + 1)...].reduce(1, *)
    }

    /// The slice that an index names; `nil` for one outside. A number that is not whole counts as the next one towards 0.
    package func slice(_ index: Double) -> Int? { index > -1 && index < Double(size) ? Int(index) : nil }
}

extension Gather: OperationRule {
    package var name: String { "gather" }

    package var operandCount: Int? { 2 }

    package func shape(of operands: [Shape]) throws(GraftError) -> Shape {
        guard operands[0].dimensions.indices.contains(axis) else {
            throw mismatch("\(operands[0]) has no axis \(axis)")
        }
        return Shape(
            operands[0].dimensions[..<axis] + operands[1].dimensions + operands[0].dimensions[(axis + 1)...])
    }

    /// Added where it was taken from.
    package func gradient(
        ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
    ) throws(GraftError) -> ValueID? {
        guard position == 0 else { return nil }
        let size = graph.shape(of: step.operand(0))[axis]
        return try graph.scatterAdd(step.gradient, at: step.operand(1), axis: axis, size: size)
    }

    package func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
        let (slices, indices) = (IndexedSlices(operands[0].shape, axis: axis), operands[1].values)
        var gathered = ReferenceArray(shape: result)
        for outer in 0..<slices.outer {
            for (position, index) in indices.enumerated() {
                guard let slice = slices.slice(index) else { continue }
                for element in 0..<slices.inner {
                    gathered.values[(outer * indices.count + position) * slices.inner + element] =
                        operands[0].values[(outer * slices.size + slice) * slices.inner + element]
                }
            }
        }
        return gathered
    }

    package func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool {
        axis > 0
            ? operands[0].isPerExample && !operands[1].isPerExample
            : operands[1].isPerExample && !operands[0].isPerExample
    }
}

extension ScatterAdd: OperationRule {
    package var name: String { "scatterAdd" }

    package var operandCount: Int? { 2 }

    package func shape(of operands: [Shape]) throws(GraftError) -> Shape {
        let (indices, updates) = (operands[0], operands[1])
        guard axis >= 0, size >= 0, axis <= updates.rank - indices.rank,
            Array(updates.dimensions[axis..<axis + indices.rank]) == indices.dimensions
        else { throw mismatch("updates of shape \(updates) have not the indices' axes \(indices) from axis \(axis)") }
        return Shape(updates.dimensions[..<axis] + [size] + updates.dimensions[(axis + indices.rank)...])
    }

    /// Taken from where it was added.
    package func gradient(
        ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
    ) throws(GraftError) -> ValueID? {
        position == 1 ? try graph.gather(step.gradient, at: step.operand(0), axis: axis) : nil
    }

    package func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
        let (slices, indices) = (IndexedSlices(result, axis: axis), operands[0].values)
        var scattered = ReferenceArray(shape: result)
        for outer in 0..<slices.outer {
            for (position, index) in indices.enumerated() {
                guard let slice = slices.slice(index) else { continue }
                for element in 0..<slices.inner {
                    scattered.values[(outer * slices.size + slice) * slices.inner + element] +=
                        operands[1].values[(outer * indices.count + position) * slices.inner + element]
                }
            }
        }
        return scattered
    }

    package func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool {
        axis > 0 && operands[1].isPerExample && !operands[0].isPerExample
    }
}

extension Graph {
    /// The slices of an operand along an axis that indices name: an embedding is `gather(table, at: tokens)`.
    ///
    /// Indices are whole numbers from 0, of int32 or, up to 2²⁴, of float32. An index outside the axis gives zeros; whoever feeds
    /// indices refuses those first where they are a mistake.
    ///
    /// - Returns: the operand's shape with the indices' in place of the axis.
    /// - Throws: ``GraftError`` with code `shape` where the operand has no such axis.
    public mutating func gather(
        _ operand: ValueID, at indices: ValueID, axis: Int = 0
    ) throws(GraftError) -> ValueID {
        let axis = axis < 0 ? axis + shape(of: operand).rank : axis
        return try add(.custom(AnyCustomOperation(Gather(axis: axis))), [operand, indices])
    }

    /// Zeros with each update added to the slice along an axis that its index names; the gradient of ``gather(_:at:axis:)``.
    ///
    /// Indices are whole numbers from 0, of int32 or, up to 2²⁴, of float32. What has an index outside the axis is left out.
    ///
    /// - Parameters:
    ///   - updates: the indices' axes begin at `axis`.
    ///   - size: the result's size along the axis.
    /// - Returns: the updates' shape with `size` in place of the indices' axes.
    /// - Throws: ``GraftError`` with code `shape` where the updates have not the indices' axes.
    public mutating func scatterAdd(
        _ updates: ValueID, at indices: ValueID, axis: Int = 0, size: Int
    ) throws(GraftError) -> ValueID {
        try add(.custom(AnyCustomOperation(ScatterAdd(axis: axis, size: size))), [indices, updates])
    }
}
