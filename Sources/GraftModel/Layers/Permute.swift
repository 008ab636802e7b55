/// The axes of each example in another order.
///
/// `dims` names the input's axes in the output's order, counted from 1, as the batch axis stays: `[2, 1]` turns
/// `(batch, a, b)` into `(batch, b, a)`. Source: keras/src/layers/reshaping/permute.py.
public final class Permute: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        Permute.self, Permute.init(_:name:), .integers("dims", \.dims), .name)

    /// The input's axes in the output's order, from 1.
    public let dims: [Int]

    /// A layer that brings the axes into this order.
    public init(_ dims: [Int], name: String? = nil) {
        self.dims = dims
        super.init(name: name)
    }

    /// Each axis stands there once.
    public override func checkArguments() throws(GraftError) {
        guard !dims.isEmpty, dims.sorted() == Array(1...dims.count) else {
            throw GraftError(
                .argument,
                "Permute: \(dims) must name each of 1 to \(max(dims.count, 1)) once; the batch axis is not counted")
        }
    }

    /// The sizes in the new order.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let shape = try Self.only(inputShapes)
        guard shape.rank == dims.count else {
            throw GraftError(
                .shape, "Permute: \(dims) are \(dims.count) axes; \(shape.batchDescription) has \(shape.rank)")
        }
        return Shape(dims.map { shape[$0 - 1] })
    }

    /// One operation.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try context.graph.permute(Self.only(inputs), axes: [0] + dims)
    }
}
