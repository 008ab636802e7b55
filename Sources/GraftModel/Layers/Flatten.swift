/// All axes but the batch as one: `(batch, height, width, channels)` becomes `(batch, height · width · channels)`, in
/// row-major order.
///
/// Source: keras/src/layers/reshaping/flatten.py.
public final class Flatten: Layer, @unchecked Sendable {  // nothing of its own; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        Flatten.self, Flatten.init(name:), .name, fixed: [.channelsLast], traits: [.keepsNumbers])

    /// A layer that flattens.
    public init(name: String? = nil) { super.init(name: name) }

    /// The number of an example's elements.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        [try Self.only(inputShapes).elementCount]
    }

    /// No work: the same memory under another shape.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        let dimensions = context.graph.shape(of: input).dimensions
        return try context.graph.reshape(input, to: [dimensions[0], dimensions.dropFirst().reduce(1, *)])
    }
}
