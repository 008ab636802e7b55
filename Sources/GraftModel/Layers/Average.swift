/// The mean of several tensors, element by element.
///
/// Inputs of one shape, or of shapes that broadcast as in numpy; where one has fewer axes, they count from the last.
/// Source: keras/src/layers/merging/average.py.
public final class Average: MergingLayer, @unchecked Sendable {  // nothing of its own; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(Average.self, Average.init(name:), .name, traits: [.takesList])

    /// A layer for two inputs or more.
    public init(name: String? = nil) { super.init(.add, name: name) }

    /// Sums and a division.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try context.graph.binary(.divide, joined(inputs, in: &context), Float(inputs.count))
    }
}
