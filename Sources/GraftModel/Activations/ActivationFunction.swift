/// A function that is applied to each element of a tensor, or, for softmax, to each vector along the last axis.
///
/// Source: keras/src/activations/activations.py.
public enum ActivationFunction: String, Hashable, Sendable, CaseIterable {
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
    case geluTanh = "gelu_tanh"
    /// x / (1 + e⁻ˣ); `swish` is another name for it
    case silu
    /// min(max(x + 3, 0), 6) / 6
    case hardSigmoid = "hard_sigmoid"
    /// x · min(max(x + 3, 0), 6) / 6; `hard_swish` is another name for it
    case hardSilu = "hard_silu"

    /// x / (1 + e⁻ˣ), under its other name.
    public static let swish = silu

    /// x · min(max(x + 3, 0), 6) / 6, under its other name.
    public static let hardSwish = hardSilu

    /// The function of this name in Keras's files, `nil` for a name that is not known.
    public init?(kerasName: String) {
        self.init(rawValue: ["swish": "silu", "hard_swish": "hard_silu"][kerasName] ?? kerasName)
    }

    /// Adds the function to the context's graph, as one operation where the graph has it.
    public func lower(_ x: ValueID, in context: inout LoweringContext) throws(GraftError) -> ValueID {
        switch self {
        case .linear: x
        case .relu: try context.graph.unary(.relu, x)
        case .relu6: try context.graph.binary(.minimum, context.graph.unary(.relu, x), 6)
        case .sigmoid: try context.graph.unary(.sigmoid, x)
        case .softmax: try context.graph.softmax(x)
        case .tanh: try context.graph.unary(.tanh, x)
        case .elu: try Self.elu(x, in: &context.graph)
        case .gelu: try Self.gelu(x, in: &context.graph)
        case .geluTanh: try Self.geluTanh(x, in: &context.graph)
        case .silu: try context.graph.binary(.multiply, x, context.graph.unary(.sigmoid, x))
        case .hardSigmoid: try Self.hardSigmoid(x, in: &context.graph)
        case .hardSilu: try context.graph.binary(.multiply, x, Self.hardSigmoid(x, in: &context.graph))
        }
    }

    /// max(x, 0) + (exp(min(x, 0)) − 1): nothing overflows, in the gradient neither.
    private static func elu(_ x: ValueID, in graph: inout Graph) throws(GraftError) -> ValueID {
        let negative = try graph.unary(.exponentialMinusOne, graph.binary(.minimum, x, 0))
        return try graph.binary(.add, graph.unary(.relu, x), negative)
    }

    /// x / 6 + 1 / 2 between 0 and 1, in the order in which Keras computes it.
    private static func hardSigmoid(_ x: ValueID, in graph: inout Graph) throws(GraftError) -> ValueID {
        let line = try graph.binary(.add, graph.binary(.multiply, x, Float(1 / 6.0)), 0.5)
        return try graph.binary(.minimum, graph.unary(.relu, line), 1)
    }

    private static func gelu(_ x: ValueID, in graph: inout Graph) throws(GraftError) -> ValueID {
        let error = try graph.unary(.errorFunction, graph.binary(.multiply, x, Float(0.5.squareRoot())))
        return try halfOfProduct(x, error, in: &graph)
    }

    private static func geluTanh(_ x: ValueID, in graph: inout Graph) throws(GraftError) -> ValueID {
        let cube = try graph.binary(.multiply, x, graph.unary(.square, x))
        let inner = try graph.binary(.add, x, graph.binary(.multiply, cube, 0.044715))
        let scaled = try graph.binary(.multiply, inner, Float((2 / Double.pi).squareRoot()))
        return try halfOfProduct(x, graph.unary(.tanh, scaled), in: &graph)
    }

    /// x · (1 + y) / 2
    private static func halfOfProduct(
        _ x: ValueID, _ y: ValueID, in graph: inout Graph
    ) throws(GraftError) -> ValueID {
        try graph.binary(.multiply, graph.binary(.multiply, x, 0.5), graph.binary(.add, y, 1))
    }
}
