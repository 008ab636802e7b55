/// Convolutions and matrix products: forms that are linear in each operand.
extension Graph {
    mutating func propagateProduct(_ step: BackwardStep, into pass: inout BackwardPass) throws(GraftError) {
        let (left, right) = (step.operand(0), step.operand(1))
        let (toLeft, toRight): (Product, Product)
        switch step.node.operation {
        case .convolution(let convolution, .none):
            toLeft = (.convolutionInputGradient(convolution, input: shape(of: left)), [step.gradient, right])
            toRight = (.convolutionKernelGradient(convolution, kernel: shape(of: right)), [left, step.gradient])
        case .convolutionInputGradient(let convolution, _):
            toLeft = (.convolution(convolution, .none), [step.gradient, right])
            toRight = (.convolutionKernelGradient(convolution, kernel: shape(of: right)), [step.gradient, left])
        case .convolutionKernelGradient(let convolution, _):
            toLeft = (.convolutionInputGradient(convolution, input: shape(of: left)), [right, step.gradient])
            toRight = (.convolution(convolution, .none), [left, step.gradient])
        case .matrixProduct(let transposeLeft, let transposeRight, .none):
            // dL = G · Rᵀ, or R · Gᵀ where L is read transposed; dR = Lᵀ · G, or Gᵀ · L where R is read transposed.
            toLeft =
                transposeLeft
                ? Self.product(right, transposeRight, step.gradient, true)
                : Self.product(step.gradient, false, right, !transposeRight)
            toRight =
                transposeRight
                ? Self.product(step.gradient, true, left, transposeLeft)
                : Self.product(left, !transposeLeft, step.gradient, false)
        default: throw step.refusal("is already fused; differentiate before fusing")
        }
        if pass.wants(left) { try pass.contribute(add(toLeft.operation, toLeft.operands), to: left, in: &self) }
        if pass.wants(right) { try pass.contribute(add(toRight.operation, toRight.operands), to: right, in: &self) }
    }

    private typealias Product = (operation: Operation, operands: [ValueID])

    private static func product(
        _ left: ValueID, _ transposeLeft: Bool, _ right: ValueID, _ transposeRight: Bool
    ) -> Product {
        (.matrixProduct(transposeLeft: transposeLeft, transposeRight: transposeRight, .none), [left, right])
    }
}
