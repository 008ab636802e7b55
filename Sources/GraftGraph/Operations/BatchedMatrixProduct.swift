/// `left, right`: a product of two matrices, the last two axes, for each position along the axes before them; each matrix
/// is transposed first where its flag says so.
package struct BatchedMatrixProduct: Hashable, Sendable {
    /// Whether the left matrices are read transposed.
    package let transposeLeft: Bool
    /// Whether the right matrices are read transposed.
    package let transposeRight: Bool

    /// A product.
    package init(transposeLeft: Bool = false, transposeRight: Bool = false) {
        (self.transposeLeft, self.transposeRight) = (transposeLeft, transposeRight)
    }

    /// The product of one pair of matrices.
    private var single: MatrixProduct { MatrixProduct(transposeLeft: transposeLeft, transposeRight: transposeRight) }
}

extension BatchedMatrixProduct: OperationRule {
    package var name: String { "batchedMatrixProduct" }

    package var operandCount: Int? { 2 }

    package var isProduct: Bool { true }

    package func shape(of operands: [Shape]) throws(GraftError) -> Shape {
        let (left, right) = (operands[0], operands[1])
        guard left.rank >= 2, left.rank == right.rank, left.batch == right.batch else {
            throw mismatch("needs matrices with the same axes before them, got \(left) and \(right)")
        }
        let (rows, leftInner) = transposeLeft ? (left.columns, left.rows) : (left.rows, left.columns)
        let (rightInner, columns) = transposeRight ? (right.columns, right.rows) : (right.rows, right.columns)
        guard leftInner == rightInner else { throw mismatch("inner sizes \(leftInner) and \(rightInner) differ") }
        return Shape(left.batch.dimensions + [rows, columns])
    }

    /// dL = G · Rᵀ, or R · Gᵀ where L is read transposed; dR = Lᵀ · G, or Gᵀ · L where R is read transposed.
    package func gradient(
        ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
    ) throws(GraftError) -> ValueID? {
        let (left, right, gradient) = (step.operand(0), step.operand(1), step.gradient)
        return switch (position, transposeLeft, transposeRight) {
        case (0, false, _): try graph.batchedMatrixProduct(gradient, right, transposeRight: !transposeRight)
        case (0, true, _):
            try graph.batchedMatrixProduct(right, gradient, transposeLeft: transposeRight, transposeRight: true)
        case (_, _, false): try graph.batchedMatrixProduct(left, gradient, transposeLeft: !transposeLeft)
        case (_, _, true):
            try graph.batchedMatrixProduct(gradient, left, transposeLeft: true, transposeRight: transposeLeft)
        }
    }

    package func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
        let size: Shape = [result.rows, result.columns]
        let products = (0..<result.batch.elementCount).map { position in
            single.reference(operands.map { $0.matrix(at: position) }, result: size).values
        }
        return ReferenceArray(Array(products.joined()), shape: result)
    }

    package func flopCount(of operands: [Shape], result: Shape) -> Int {
        2 * result.elementCount * (transposeLeft ? operands[0].rows : operands[0].columns)
    }

    package func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool {
        result.rank > 2 && operands.allSatisfy(\.isPerExample)
    }
}

/// A shape as that of matrices with axes before them.
extension Shape {
    /// The axes before the matrices.
    fileprivate var batch: Shape { Shape(Array(dimensions.dropLast(2))) }
    fileprivate var rows: Int { dimensions[rank - 2] }
    fileprivate var columns: Int { dimensions[rank - 1] }
}

extension ReferenceArray {
    /// The matrix at a position along all axes before the last two.
    fileprivate func matrix(at position: Int) -> ReferenceArray {
        let size = shape.rows * shape.columns
        return ReferenceArray(
            Array(values[position * size..<(position + 1) * size]), shape: [shape.rows, shape.columns])
    }
}

extension Graph {
    /// A product of two matrices for each position along the axes before the last two, as attention needs it.
    ///
    /// `result[…, r, c] = Σₖ left[…, r, k] · right[…, k, c]`, after the transpositions.
    ///
    /// - Parameters:
    ///   - left: of shape `[…, rows, inner]`, or `[…, inner, rows]` where it is transposed.
    ///   - right: of shape `[…, inner, columns]`, or `[…, columns, inner]` where it is transposed; the axes before are
    ///     those of `left`.
    /// - Returns: the shape `[…, rows, columns]`.
    /// - Throws: ``GraftError`` with code `shape` where they do not fit.
    public mutating func batchedMatrixProduct(
        _ left: ValueID, _ right: ValueID, transposeLeft: Bool = false, transposeRight: Bool = false
    ) throws(GraftError) -> ValueID {
        let product = BatchedMatrixProduct(transposeLeft: transposeLeft, transposeRight: transposeRight)
        return try add(.custom(AnyCustomOperation(product)), [left, right])
    }
}
