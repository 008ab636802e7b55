/// Several tensors joined along one axis.
///
/// Inputs agree in all sizes but that axis; the output's size there is the sum of theirs.
/// Source: keras/src/layers/merging/concatenate.py.
public final class Concatenate: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        Concatenate.self, Concatenate.init(axis:name:), .integer("axis", \.axis, default: -1), .name,
        traits: [.takesList])

    /// The axis, counted from the batch axis as in Keras, or from the last where negative.
    public let axis: Int

    /// A layer for two inputs or more.
    public init(axis: Int = -1, name: String? = nil) {
        self.axis = axis
        super.init(name: name)
    }

    /// The first input's shape, with the sum of all sizes along the axis.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let batched = inputShapes.map { Shape([1] + $0.dimensions) }
        let axis = try position(rank: batched.first?.rank ?? 0)
        let result = try Operation.movement(.concatenation(axis: axis)).resultShape(batched)
        return Shape(Array(result.dimensions.dropFirst()))
    }

    /// One operation.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let rank = inputs.first.map { context.graph.shape(of: $0).rank } ?? 0
        return try context.graph.concatenate(inputs, axis: position(rank: rank))
    }

    /// The axis counted from the batch axis, which cannot be joined.
    private func position(rank: Int) throws(GraftError) -> Int {
        let position = axis < 0 ? axis + rank : axis
        guard (1..<max(rank, 1)).contains(position) else {
            throw GraftError(
                .argument,
                "Concatenate: \(axis) is no axis of an input with \(rank) axes, the batch axis counted; that "
                    + "one cannot be joined")
        }
        return position
    }
}
