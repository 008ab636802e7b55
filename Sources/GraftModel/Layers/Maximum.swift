/// The largest of several tensors, element by element.
///
/// Inputs of one shape, or of shapes that broadcast as in numpy; where one has fewer axes, they count from the last.
/// Source: keras/src/layers/merging/maximum.py.
public final class Maximum: MergingLayer, @unchecked Sendable {  // nothing of its own; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(Maximum.self, Maximum.init(name:), .name, traits: [.takesList])

    /// A layer for two inputs or more.
    public init(name: String? = nil) { super.init(.maximum, name: name) }
}
