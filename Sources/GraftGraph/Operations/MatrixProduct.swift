/// `left, right, bias?, addend?`: the product of two matrices, each transposed first where its flag says so.
public struct MatrixProduct: Hashable, Sendable {
    /// Whether the left matrix is read transposed.
    public var transposeLeft: Bool
    /// Whether the right matrix is read transposed.
    public var transposeRight: Bool
    /// What is done to the result before it is written.
    public var epilogue: Epilogue

    /// A product.
    public init(transposeLeft: Bool = false, transposeRight: Bool = false, _ epilogue: Epilogue = .none) {
        (self.transposeLeft, self.transposeRight, self.epilogue) = (transposeLeft, transposeRight, epilogue)
    }
}

extension MatrixProduct: OperationRule {
    package var name: String { "matrixProduct" }

    package var operandCount: Int? { 2 + epilogue.operandCount }

    package func shape(of operands: [Shape]) throws(GraftError) -> Shape {
        let (left, right) = (operands[0], operands[1])
        guard left.rank == 2, right.rank == 2 else { throw mismatch("needs two matrices, got \(left) and \(right)") }
        let (rows, leftInner) = transposeLeft ? (left[1], left[0]) : (left[0], left[1])
        let (rightInner, columns) = transposeRight ? (right[1], right[0]) : (right[0], right[1])
        guard leftInner == rightInner else { throw mismatch("inner sizes \(leftInner) and \(rightInner) differ") }
        return try epilogue.checked(operands.dropFirst(2), result: [rows, columns])
    }

    /// dL = G · Rᵀ, or R · Gᵀ where L is read transposed; dR = Lᵀ · G, or Gᵀ · L where R is read transposed.
    package func gradient(
        ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
    ) throws(GraftError) -> ValueID? {
        guard epilogue == .none else { throw step.refusal("is already fused; differentiate before fusing") }
        let (left, right, gradient) = (step.operand(0), step.operand(1), step.gradient)
        return switch (position, transposeLeft, transposeRight) {
        case (0, false, _): try graph.matrixProduct(gradient, right, transposeRight: !transposeRight)
        case (0, true, _):
            try graph.matrixProduct(right, gradient, transposeLeft: transposeRight, transposeRight: true)
        case (_, _, false): try graph.matrixProduct(left, gradient, transposeLeft: !transposeLeft)
        case (_, _, true): try graph.matrixProduct(gradient, left, transposeLeft: true, transposeRight: transposeLeft)
        }
    }

    /// `result[r, c] = Σ left[r, k] · right[k, c]`, after the transpositions.
    package func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
        let (left, right) = (operands[0], operands[1])
        var product = ReferenceArray(shape: result)
        let inner = left.shape[transposeLeft ? 0 : 1]
        for row in 0..<result[0] {
            for column in 0..<result[1] {
                var sum = 0.0
                for k in 0..<inner {
                    let l = transposeLeft ? k * result[0] + row : row * inner + k
                    let r = transposeRight ? column * inner + k : k * result[1] + column
                    sum += left.values[l] * right.values[r]
                }
                product.values[row * result[1] + column] = sum
            }
        }
        return epilogue.applied(to: product, operands.dropFirst(2))
    }

    package var isProduct: Bool { true }

    package func flopCount(of operands: [Shape], result: Shape) -> Int {
        operands.count > 1 ? 2 * result.elementCount * operands[0][transposeLeft ? 0 : 1] : 0
    }

    package func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool {
        operands[0].isPerExample && !transposeLeft && !operands[1].isPerExample
            && operands.dropFirst(2).allSatisfy { $0.matches(result) }
    }
}

extension MatrixProduct: CustomStringConvertible {
    /// With all attributes, as names of features in the cache have them.
    public var description: String {
        "\(name)(transposeLeft: \(transposeLeft), transposeRight: \(transposeRight), \(String(reflecting: epilogue)))"
    }
}

extension Graph {
    /// The product of two matrices, each transposed first where its flag says so.
    public mutating func matrixProduct(
        _ left: ValueID, _ right: ValueID, transposeLeft: Bool = false, transposeRight: Bool = false
    ) throws(GraftError) -> ValueID {
        try add(
            .product(MatrixProduct(transposeLeft: transposeLeft, transposeRight: transposeRight)), [left, right])
    }
}
