/// The sum of several tensors.
///
/// Inputs of one shape, or of shapes that broadcast as in numpy; where one has fewer axes, they count from the last.
/// Source: keras/src/layers/merging/add.py.
public final class Add: MergingLayer, @unchecked Sendable {  // nothing of its own; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(Add.self, Add.init(name:), .name, traits: [.takesList])

    /// A layer for two inputs or more.
    public init(name: String? = nil) { super.init(.add, name: name) }
}
