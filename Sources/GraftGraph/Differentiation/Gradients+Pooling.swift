extension Graph {
    mutating func propagatePooling(_ step: BackwardStep, into pass: inout BackwardPass) throws(GraftError) {
        let operand = step.operand(0)
        switch step.node.operation {
        case .maxPooling(let window):
            try pass.contribute(add(.maxPoolingGradient(window), [operand, step.gradient]), to: operand, in: &self)
        case .averagePooling(let window):
            let gradient = try add(.averagePoolingGradient(window, input: shape(of: operand)), [step.gradient])
            try pass.contribute(gradient, to: operand, in: &self)
        case .averagePoolingGradient(let window, _):
            try pass.contribute(averagePool(step.gradient, window), to: operand, in: &self)
        default: throw step.refusal("has no gradient of its own: second derivatives of max pooling are not supported")
        }
    }
}
