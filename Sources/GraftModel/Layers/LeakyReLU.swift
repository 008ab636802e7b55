/// x where it is positive, `negativeSlope · x` elsewhere.
///
/// Input and output have the same shape. Source: keras/src/layers/activations/leaky_relu.py.
public final class LeakyReLU: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        LeakyReLU.self, LeakyReLU.init(_:name:), .slope, .name, traits: [.builtFromTheStart])

    /// The slope below 0.
    public let negativeSlope: Double

    /// A layer with this slope below 0, which may not be negative.
    public init(_ negativeSlope: Double = 0.3, name: String? = nil) {
        self.negativeSlope = negativeSlope
        super.init(name: name)
    }

    /// Two rectifiers.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try ActivationFunction.leakyReLU(Self.only(inputs), slope: Float(negativeSlope), in: &context.graph)
    }
}

extension Argument<LeakyReLU, Double> {
    /// Keras 2 calls it `alpha`.
    fileprivate static var slope: Self {
        custom(
            "negative_slope", orElse: "alpha", \.negativeSlope, default: 0.3, .notNegative,
            read: { (value) throws(GraftError) in try Double(configuration: value) }, write: { $0.configuration })
    }
}
