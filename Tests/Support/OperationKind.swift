import GraftGraph

/// What a random graph may be made of.
package enum OperationKind: Hashable, Sendable, CustomStringConvertible {
    case convolution, convolutionInputGradient, convolutionKernelGradient, matrixProduct
    case maxPooling, maxPoolingGradient, averagePooling, averagePoolingGradient
    case unary(UnaryFunction), binary(BinaryFunction), select
    case reduction(ReductionFunction), broadcast, reshape, pad, slice, concatenation, softmax, logSoftmax
    case randomUniform
    /// An operation outside the families.
    case custom(CustomKind)
    /// A convolution or matrix product with an ``Epilogue``.
    case epilogue
    /// An ``ElementwiseProgram``.
    case program

    /// Everything that has a gradient; shapes and products twice, so that they are not lost among the many functions.
    package static let differentiable: [OperationKind] =
        products + products + shapes + shapes + UnaryFunction.allCases.map(unary) + BinaryFunction.allCases.map(binary)
        + CustomKind.all.map(custom)

    /// Everything that layers, losses and gradients lower to.
    package static let unfused: [OperationKind] = differentiable + [.maxPoolingGradient, .randomUniform]

    /// Everything there is.
    package static let all: [OperationKind] = unfused + [.epilogue, .epilogue, .program, .program]

    private static let products: [OperationKind] = [
        .convolution, .convolutionInputGradient, .convolutionKernelGradient, .matrixProduct, .maxPooling,
        .averagePooling, .averagePoolingGradient,
    ]

    private static let shapes: [OperationKind] =
        ReductionFunction.allCases.map(reduction) + [
            .broadcast, .reshape, .pad, .slice, .concatenation, .softmax, .logSoftmax, .select,
        ]

    package var description: String {
        switch self {
        case .convolution: "convolution"
        case .convolutionInputGradient: "convolutionInputGradient"
        case .convolutionKernelGradient: "convolutionKernelGradient"
        case .matrixProduct: "matrixProduct"
        case .maxPooling: "maxPooling"
        case .maxPoolingGradient: "maxPoolingGradient"
        case .averagePooling: "averagePooling"
        case .averagePoolingGradient: "averagePoolingGradient"
        case .unary(let function): "\(function)"
        case .binary(let function): "\(function)"
        case .select: "select"
        case .reduction(let function): "\(function)Reduction"
        case .broadcast: "broadcast"
        case .reshape: "reshape"
        case .pad: "pad"
        case .slice: "slice"
        case .concatenation: "concatenation"
        case .softmax: "softmax"
        case .logSoftmax: "logSoftmax"
        case .randomUniform: "randomUniform"
        case .custom(let kind): kind.description
        case .epilogue: "epilogue"
        case .program: "elementwise"
        }
    }
}
