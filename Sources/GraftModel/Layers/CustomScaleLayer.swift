/// The first of two inputs and a part of the second: `y = x₀ + scale · x₁`.
///
/// Two inputs of one shape, or of shapes that broadcast; the output has the shape that they have together.
///
/// A layer of Keras's InceptionResNetV2, outside of Keras's interface: files name the module that it is in.
///
/// Source: Szegedy et al., Inception-v4, 2016, arXiv:1602.07261, section 3.3;
/// keras/src/applications/inception_resnet_v2.py.
public final class CustomScaleLayer: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        CustomScaleLayer.self, CustomScaleLayer.init(_:name:), .number("scale", \.scale), .name, traits: [.takesList],
        module: "keras.src.applications.inception_resnet_v2")

    /// What the second input is multiplied by.
    public let scale: Double

    /// A sum that takes this part of its second input.
    public init(_ scale: Double, name: String? = nil) {
        self.scale = scale
        super.init(name: name)
    }

    /// The shape that the inputs have together.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        guard inputShapes.count == 2, let joined = inputShapes[0].broadcast(with: inputShapes[1]),
            inputShapes[0].rank == inputShapes[1].rank
        else {
            let shapes = inputShapes.map(\.batchDescription).joined(separator: ", ")
            throw GraftError(
                .shape, "CustomScaleLayer takes two inputs of shapes that fit one another; received \(shapes)")
        }
        return joined
    }

    /// A multiplication and an addition.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        guard inputs.count == 2 else {
            throw GraftError(.argument, "CustomScaleLayer takes two inputs; received \(inputs.count)")
        }
        return try context.graph.binary(
            .add, inputs[0], context.graph.binary(.multiply, inputs[1], Float(scale)))
    }
}
