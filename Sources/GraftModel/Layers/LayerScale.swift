/// Each channel times a number that trains: `y = x · gamma`.
///
/// Input and output `(batch, …, projectionDim)`. One variable, of shape (projectionDim), which Keras calls `variable`.
///
/// A layer of Keras's ConvNeXt, outside of Keras's interface: files name the module that it is in.
///
/// Source: Touvron et al., Going deeper with Image Transformers, 2021, arXiv:2103.17239;
/// keras/src/applications/convnext.py.
public final class LayerScale: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        LayerScale.self, LayerScale.init(_:projectionDim:name:), .number("init_values", \.initValues),
        .count("projection_dim", \.projectionDim), .name, module: "keras.src.applications.convnext")

    /// What the numbers begin with.
    public let initValues: Double
    /// How many channels there are.
    public let projectionDim: Int

    /// Factors that begin as `initValues`.
    public init(_ initValues: Double, projectionDim: Int, name: String? = nil) {
        (self.initValues, self.projectionDim) = (initValues, projectionDim)
        super.init(name: name)
    }

    /// Makes the factors.
    public override func build(inputShapes: [Shape]) throws(GraftError) {
        try addVariable("variable", shape: [projectionDim], initializer: .constant(initValues))
    }

    /// The input's shape.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let shape = try Self.only(inputShapes)
        guard shape.rank > 0, shape.last == projectionDim else {
            throw GraftError(
                .shape, "LayerScale has \(projectionDim) factors; it was given \(shape.batchDescription)")
        }
        return shape
    }

    /// A multiplication.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try context.graph.binary(
            .multiply, Self.only(inputs), context.value(of: requireVariable("variable")))
    }
}
