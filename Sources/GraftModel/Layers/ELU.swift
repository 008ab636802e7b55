/// x where it is positive, `alpha · (eˣ − 1)` elsewhere.
///
/// Input and output have the same shape. Source: keras/src/layers/activations/elu.py.
public final class ELU: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        ELU.self, ELU.init(alpha:name:), .number("alpha", \.alpha, default: 1), .name, traits: [.builtFromTheStart])

    /// What the function falls to, with its sign turned.
    public let alpha: Double

    /// A layer with Keras's default.
    public init(alpha: Double = 1, name: String? = nil) {
        self.alpha = alpha
        super.init(name: name)
    }

    /// Sums of what is above and below 0.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try ActivationFunction.elu(Self.only(inputs), alpha: Float(alpha), in: &context.graph)
    }
}
