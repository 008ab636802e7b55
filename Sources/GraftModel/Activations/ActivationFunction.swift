/// A function that is applied to each element of a tensor, or, for softmax and its like, to each vector along the last
/// axis.
///
/// Source: keras/src/activations/activations.py.
public enum ActivationFunction: Hashable, Sendable, CaseIterable {
    /// x
    case linear
    /// max(x, 0)
    case relu
    /// min(max(x, 0), 6)
    case relu6
    /// 1 / (1 + e⁻ˣ)
    case sigmoid
    /// eˣ / Σ eˣ, over the last axis
    case softmax
    /// tanh x
    case tanh
    /// x where it is positive, eˣ − 1 elsewhere
    case elu
    /// x · Φ(x) = x · (1 + erf(x / √2)) / 2; Keras's `gelu` with its default `approximate=False`
    case gelu
    /// x · (1 + tanh(√(2/π) · (x + 0.044715 x³))) / 2; Keras's `gelu` with `approximate=True`, which has no name in
    /// Keras's files and is written as its operation
    case geluTanh
    /// x / (1 + e⁻ˣ); `swish` is another name for it
    case silu
    /// 1.0507 · elu(x) with 1.6733 in the place of 1
    case selu
    /// max(x, 0) + min(eˣ − 1, 0)
    case celu
    /// x where it is positive, 0.2 x elsewhere
    case leakyReLU
    /// eˣ
    case exponential
    /// ln(1 + eˣ)
    case softplus
    /// x / (1 + |x|)
    case softsign
    /// x · tanh(ln(1 + eˣ))
    case mish
    /// x − ln Σ eˣ, over the last axis
    case logSoftmax
    /// −ln(1 + e⁻ˣ)
    case logSigmoid
    /// x between −1 and 1
    case hardTanh
    /// x where |x| > ½, 0 elsewhere
    case hardShrink
    /// x brought nearer to 0 by ½
    case softShrink
    /// x − tanh x
    case tanhShrink
    /// (x + √(x² + 4)) / 2
    case squareplus
    /// 0 below −1, x above 1, (x + 1)² / 4 between
    case sparsePlus
    /// (x + 1) / 2 between 0 and 1
    case sparseSigmoid
    /// min(max(x + 3, 0), 6) / 6
    case hardSigmoid
    /// x · min(max(x + 3, 0), 6) / 6; `hard_swish` is another name for it
    case hardSilu
    /// A layer of Keras's without variables in the place of a function, as `Dense(8, activation=LeakyReLU(0.1))` has it
    case layer(ActivationLayer)

    /// x / (1 + e⁻ˣ), under its other name.
    public static let swish = silu

    /// x · min(max(x + 3, 0), 6) / 6, under its other name.
    public static let hardSwish = hardSilu

    /// The functions that have a name, with it.
    private static let names: [(function: ActivationFunction, name: String)] = [
        (.linear, "linear"), (.relu, "relu"), (.relu6, "relu6"), (.sigmoid, "sigmoid"), (.softmax, "softmax"),
        (.tanh, "tanh"), (.elu, "elu"), (.gelu, "gelu"), (.geluTanh, "gelu_tanh"), (.silu, "silu"), (.selu, "selu"),
        (.celu, "celu"), (.leakyReLU, "leaky_relu"), (.exponential, "exponential"), (.softplus, "softplus"),
        (.softsign, "softsign"), (.mish, "mish"), (.logSoftmax, "log_softmax"), (.logSigmoid, "log_sigmoid"),
        (.hardTanh, "hard_tanh"), (.hardShrink, "hard_shrink"), (.softShrink, "soft_shrink"),
        (.tanhShrink, "tanh_shrink"), (.squareplus, "squareplus"), (.sparsePlus, "sparse_plus"),
        (.sparseSigmoid, "sparse_sigmoid"), (.hardSigmoid, "hard_sigmoid"), (.hardSilu, "hard_silu"),
    ]

    /// All functions that have a name.
    public static var allCases: [ActivationFunction] { names.map(\.function) }

    /// Keras's name; of a layer, that of its class.
    public var rawValue: String {
        if case .layer(let layer) = self { return layer.className }
        return Self.names.first { $0.function == self }?.name ?? ""
    }

    /// The function of this name, `nil` for a name that is not known.
    public init?(rawValue: String) {
        guard let function = Self.names.first(where: { $0.name == rawValue })?.function else { return nil }
        self = function
    }

    /// The function of this name in Keras's files, `nil` for a name that is not known.
    public init?(kerasName: String) {
        self.init(rawValue: ["swish": "silu", "hard_swish": "hard_silu"][kerasName] ?? kerasName)
    }
}

/// A layer without variables that stands in the place of an activation function.
public struct ActivationLayer: Hashable, Sendable {
    /// As Keras writes the layer.
    let configuration: Configuration
    private let layer: Layer

    /// The classes that may stand there.
    static let classNames = ["ELU", "LeakyReLU", "ReLU", "Softmax"]

    /// - Throws: ``GraftError`` with code `argument` for a layer of another class.
    public init(_ layer: Layer) throws(GraftError) {
        let name = type(of: layer).className
        guard Self.classNames.contains(name) else {
            throw GraftError(
                .argument,
                "the layer \(name) cannot be an activation, \(Self.classNames.joined(separator: ", ")) can; put it behind"
            )
        }
        (self.layer, configuration) = (layer, layer.serialized)
    }

    /// Keras's name of the layer's class.
    var className: String { type(of: layer).className }

    func lower(_ x: ValueID, in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try layer.lower([x], in: &context)
    }

    /// By what Keras writes.
    public static func == (left: Self, right: Self) -> Bool { left.configuration == right.configuration }
    /// By what Keras writes.
    public func hash(into hasher: inout Hasher) { hasher.combine(configuration) }
}
