/// Applies a function to each element; softmax goes over the last axis.
///
/// Input and output have the same shape. Source: keras/src/layers/activations/activation.py.
public final class Activation: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        Activation.self, Activation.init(_:name:), .activation(\.activation), .name,
        traits: [.builtFromTheStart])

    /// The function.
    public let activation: ActivationFunction

    /// A layer that applies this function.
    public init(_ activation: ActivationFunction, name: String? = nil) {
        self.activation = activation
        super.init(name: name)
    }

    /// The function's operations.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try activation.lower(Self.only(inputs), in: &context)
    }
}
