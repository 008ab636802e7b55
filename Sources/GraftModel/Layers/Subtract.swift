/// The first of two tensors minus the second.
///
/// Inputs of one shape, or of shapes that broadcast as in numpy; where one has fewer axes, they count from the last.
/// Source: keras/src/layers/merging/subtract.py.
public final class Subtract: MergingLayer, @unchecked Sendable {  // nothing of its own; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(Subtract.self, Subtract.init(name:), .name, traits: [.takesList])

    /// A layer for two inputs.
    public init(name: String? = nil) { super.init(.subtract, name: name) }

    /// The shape that the two have together.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        guard inputShapes.count == 2 else {
            throw GraftError(.argument, "Subtract takes two inputs; it was given \(inputShapes.count)")
        }
        return try super.outputShape(for: inputShapes)
    }
}
