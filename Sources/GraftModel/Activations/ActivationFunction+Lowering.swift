extension ActivationFunction {
    /// Adds the function to the context's graph, as one operation where the graph has it.
    public func lower(_ x: ValueID, in context: inout LoweringContext) throws(GraftError) -> ValueID {
        if case .layer(let layer) = self { return try layer.lower(x, in: &context) }
        return try apply(to: x, in: &context.graph)
    }

    /// The functions that have a name.
    func apply(to x: ValueID, in graph: inout Graph) throws(GraftError) -> ValueID {
        switch self {
        case .linear, .layer: x
        case .relu: try graph.unary(.relu, x)
        case .relu6: try graph.binary(.minimum, graph.unary(.relu, x), 6)
        case .sigmoid: try graph.unary(.sigmoid, x)
        case .softmax: try graph.softmax(x)
        case .logSoftmax: try graph.logSoftmax(x)
        case .tanh: try graph.unary(.tanh, x)
        case .elu: try Self.elu(x, in: &graph)
        case .celu: try Self.elu(x, in: &graph)
        case .selu: try Self.selu(x, in: &graph)
        case .leakyReLU: try Self.leakyReLU(x, slope: 0.2, in: &graph)
        case .gelu: try Self.gelu(x, in: &graph)
        case .geluTanh: try Self.geluTanh(x, in: &graph)
        case .silu: try graph.binary(.multiply, x, graph.unary(.sigmoid, x))
        case .mish: try graph.binary(.multiply, x, graph.unary(.tanh, Self.softplus(x, in: &graph)))
        case .exponential: try graph.unary(.exponential, x)
        case .softplus: try Self.softplus(x, in: &graph)
        case .logSigmoid: try graph.unary(.negate, Self.softplus(graph.unary(.negate, x), in: &graph))
        case .softsign: try graph.binary(.divide, x, graph.binary(.add, graph.unary(.absolute, x), 1))
        case .hardTanh: try Self.clip(x, -1, 1, in: &graph)
        case .hardShrink:
            try graph.select(graph.binary(.greater, graph.unary(.absolute, x), 0.5), x, graph.constant(0))
        case .softShrink: try graph.binary(.subtract, x, Self.clip(x, -0.5, 0.5, in: &graph))
        case .tanhShrink: try graph.binary(.subtract, x, graph.unary(.tanh, x))
        case .squareplus: try Self.squareplus(x, in: &graph)
        case .sparsePlus: try Self.sparsePlus(x, in: &graph)
        case .sparseSigmoid:
            try Self.clip(graph.binary(.multiply, graph.binary(.add, x, 1), 0.5), 0, 1, in: &graph)
        case .hardSigmoid: try Self.hardSigmoid(x, in: &graph)
        case .hardSilu: try graph.binary(.multiply, x, Self.hardSigmoid(x, in: &graph))
        }
    }

    /// max(x, 0) + alpha · (exp(min(x, 0)) − 1): nothing overflows, in the gradient neither.
    static func elu(_ x: ValueID, alpha: Float = 1, in graph: inout Graph) throws(GraftError) -> ValueID {
        var negative = try graph.unary(.exponentialMinusOne, graph.binary(.minimum, x, 0))
        if alpha != 1 { negative = try graph.binary(.multiply, negative, alpha) }
        return try graph.binary(.add, graph.unary(.relu, x), negative)
    }

    /// x / 6 + 1 / 2 between 0 and 1, in the order in which Keras computes it.
    private static func hardSigmoid(_ x: ValueID, in graph: inout Graph) throws(GraftError) -> ValueID {
        let line = try graph.binary(.add, graph.binary(.multiply, x, Float(1 / 6.0)), 0.5)
        return try graph.binary(.minimum, graph.unary(.relu, line), 1)
    }

    /// The constants keep mean 0 and variance 1 from layer to layer: Klambauer et al., arXiv:1706.02515.
    static let seluScale = 1.050_700_987_355_480_5
    static let seluAlpha = 1.673_263_242_354_377_2

    private static func selu(_ x: ValueID, in graph: inout Graph) throws(GraftError) -> ValueID {
        try graph.binary(.multiply, elu(x, alpha: Float(seluAlpha), in: &graph), Float(seluScale))
    }

    /// max(x, 0) + slope · min(x, 0)
    static func leakyReLU(_ x: ValueID, slope: Float, in graph: inout Graph) throws(GraftError) -> ValueID {
        let below = try graph.binary(.multiply, graph.binary(.minimum, x, 0), slope)
        return try graph.binary(.add, graph.unary(.relu, x), below)
    }

    /// (x + |x|) / 2 + ln(1 + exp(−|x|)): nothing overflows, and the slope at 0 is ½.
    private static func softplus(_ x: ValueID, in graph: inout Graph) throws(GraftError) -> ValueID {
        let size = try graph.unary(.absolute, x)
        let line = try graph.binary(.multiply, graph.binary(.add, x, size), 0.5)
        let bend = try graph.unary(.logarithmOnePlus, graph.unary(.exponential, graph.unary(.negate, size)))
        return try graph.binary(.add, line, bend)
    }

    private static func clip(
        _ x: ValueID, _ lower: Float, _ upper: Float, in graph: inout Graph
    ) throws(GraftError) -> ValueID {
        try graph.binary(.minimum, graph.binary(.maximum, x, lower), upper)
    }

    private static func squareplus(_ x: ValueID, in graph: inout Graph) throws(GraftError) -> ValueID {
        let root = try graph.unary(.squareRoot, graph.binary(.add, graph.unary(.square, x), 4))
        return try graph.binary(.multiply, graph.binary(.add, x, root), 0.5)
    }

    /// The parabola of x between −1 and 1, and what x is above 1.
    private static func sparsePlus(_ x: ValueID, in graph: inout Graph) throws(GraftError) -> ValueID {
        let shifted = try graph.binary(.add, clip(x, -1, 1, in: &graph), 1)
        let parabola = try graph.binary(.multiply, graph.unary(.square, shifted), 0.25)
        return try graph.binary(.add, parabola, graph.unary(.relu, graph.binary(.subtract, x, 1)))
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
