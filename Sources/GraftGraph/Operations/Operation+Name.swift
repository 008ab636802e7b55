extension Operation {
    /// The operation's name, without its attributes: for messages and profiles.
    public var name: String {
        switch self {
        case .input: "input"
        case .variable: "variable"
        case .constant: "constant"
        case .randomUniform: "randomUniform"
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
        case .elementwise: "elementwise"
        case .reduction(let function, _): "\(function)Reduction"
        case .cast: "cast"
        case .stochasticRounding: "stochasticRounding"
        case .broadcast: "broadcast"
        case .reshape: "reshape"
        case .pad: "pad"
        case .slice: "slice"
        case .concatenation: "concatenation"
        case .softmax: "softmax"
        case .logSoftmax: "logSoftmax"
        }
    }
}
