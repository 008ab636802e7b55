/// The rectified linear unit with its limits: x where it is above the threshold, at most a largest value, and
/// `negativeSlope · (x − threshold)` elsewhere.
///
/// Input and output have the same shape. Source: keras/src/layers/activations/relu.py.
public final class ReLU: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        ReLU.self, ReLU.init(maxValue:negativeSlope:threshold:name:),
        .numberOrNil("max_value", \.maxValue, called: "maxValue", .notNegative),
        .number("negative_slope", \.negativeSlope, default: 0, called: "negativeSlope", .notNegative),
        .number("threshold", \.threshold, default: 0, .notNegative), .name, traits: [.builtFromTheStart])

    /// The largest value that comes out; `nil` for no limit.
    public let maxValue: Double?
    /// The slope below the threshold.
    public let negativeSlope: Double
    /// What x must be larger than to come through.
    public let threshold: Double

    /// A layer with these limits, of which none may be negative; an infinite largest value is none.
    public init(maxValue: Double? = nil, negativeSlope: Double = 0, threshold: Double = 0, name: String? = nil) {
        self.maxValue = maxValue == .infinity ? nil : maxValue
        (self.negativeSlope, self.threshold) = (negativeSlope, threshold)
        super.init(name: name)
    }

    /// One operation for the plain function, two with a largest value.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try rectified(Self.only(inputs), in: &context.graph)
    }

    func rectified(_ x: ValueID, in graph: inout Graph) throws(GraftError) -> ValueID {
        var y =
            threshold == 0
            ? try graph.unary(.relu, x) : try graph.binary(.multiply, x, graph.binary(.greater, x, Float(threshold)))
        if let maxValue { y = try graph.binary(.minimum, y, Float(maxValue)) }
        guard negativeSlope != 0 else { return y }
        let below = try graph.unary(.relu, graph.binary(.subtract, graph.constant(Float(threshold)), x))
        return try graph.binary(.subtract, y, graph.binary(.multiply, below, Float(negativeSlope)))
    }
}
