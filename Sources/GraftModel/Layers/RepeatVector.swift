/// Each vector `n` times, one after the other: `(batch, features)` becomes `(batch, n, features)`.
///
/// Source: keras/src/layers/reshaping/repeat_vector.py.
public final class RepeatVector: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        RepeatVector.self, RepeatVector.init(_:name:), .count("n", \.count), .name)

    /// How often.
    public let count: Int

    /// A layer that repeats its input so often.
    public init(_ count: Int, name: String? = nil) {
        self.count = count
        super.init(name: name)
    }

    /// The count in front of the features.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let shape = try Self.only(inputShapes)
        guard shape.rank == 1 else {
            throw GraftError(.shape, "RepeatVector takes (features); it was given \(shape.batchDescription)")
        }
        return [count, shape[0]]
    }

    /// A reshape and a broadcast.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        let shape = context.graph.shape(of: input)
        let row = try context.graph.reshape(input, to: [shape[0], 1, shape[1]])
        return try context.graph.broadcast(row, to: [shape[0], count, shape[1]])
    }
}
