/// The input itself.
///
/// Source: keras/src/layers/core/identity.py.
public final class Identity: Layer, @unchecked Sendable {  // nothing of its own; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        Identity.self, Identity.init(name:), .name, traits: [.builtFromTheStart, .keepsNumbers])

    /// A layer that does nothing.
    public init(name: String? = nil) { super.init(name: name) }
}
