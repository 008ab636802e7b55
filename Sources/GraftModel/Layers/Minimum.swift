/// The smallest of several tensors, element by element.
///
/// Inputs of one shape, or of shapes that broadcast as in numpy; where one has fewer axes, they count from the last.
/// Source: keras/src/layers/merging/minimum.py.
public final class Minimum: MergingLayer, @unchecked Sendable {  // nothing of its own; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(Minimum.self, Minimum.init(name:), .name, traits: [.takesList])

    /// A layer for two inputs or more.
    public init(name: String? = nil) { super.init(.minimum, name: name) }
}
