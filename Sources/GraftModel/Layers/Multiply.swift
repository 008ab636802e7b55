/// The product of several tensors, element by element.
///
/// Inputs of one shape, or of shapes that broadcast as in numpy; where one has fewer axes, they count from the last.
/// Source: keras/src/layers/merging/multiply.py.
public final class Multiply: MergingLayer, @unchecked Sendable {  // nothing of its own; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(Multiply.self, Multiply.init(name:), .name, traits: [.takesList])

    /// A layer for two inputs or more.
    public init(name: String? = nil) { super.init(.multiply, name: name) }
}
