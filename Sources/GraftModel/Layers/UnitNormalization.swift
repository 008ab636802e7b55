/// Each vector along some axes divided by its length: `y = x / max(‖x‖₂, 1e-12)`.
///
/// Input and output have the same shape. `axes` are those whose elements make a vector, counted from the batch axis as in Keras;
/// the last one by default. Source: keras/src/layers/normalization/unit_normalization.py.
public final class UnitNormalization: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        UnitNormalization.self, UnitNormalization.init(axes:name:), .axes("axis", \.axes, default: [-1]), .name,
        traits: [.builtFromTheStart])

    /// The axes whose elements make a vector.
    public let axes: [Int]

    /// The square of the smallest length.
    private static let smallestSquare: Float = 1e-24

    /// Vectors of length 1 along the last axis, by default.
    public init(axes: [Int] = [-1], name: String? = nil) {
        self.axes = axes
        super.init(name: name)
    }

    /// The input's shape.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let shape = try Self.only(inputShapes)
        let rank = shape.rank + 1
        let own = Set(axes.map { $0 < 0 ? $0 + rank : $0 })
        guard !axes.isEmpty, own.count == axes.count, own.allSatisfy({ (1..<rank).contains($0) }) else {
            throw GraftError(
                .argument,
                "UnitNormalization: \(axes) are not distinct axes of \(shape.batchDescription) other than the batch axis"
            )
        }
        return shape
    }

    /// A sum of squares and a multiplication with what is one over its root.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        let rank = context.graph.shape(of: input).rank
        let own = axes.map { $0 < 0 ? $0 + rank : $0 }.sorted()
        return try context.graph.unitVectors(input, axes: own, smallestSquare: Self.smallestSquare)
    }
}
