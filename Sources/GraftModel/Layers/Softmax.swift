/// eˣ / Σ eˣ, with the sum over some axes: the last one by default.
///
/// Input and output have the same shape. Source: keras/src/layers/activations/softmax.py.
public final class Softmax: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        Softmax.self, Softmax.init(axes:name:), .axes("axis", \.axes, default: [-1]), .name,
        traits: [.builtFromTheStart])

    /// The axes that the sum goes over, counted from the batch axis as in Keras, or from the last where negative.
    public let axes: [Int]

    /// A softmax over the last axis, by default.
    public init(axes: [Int] = [-1], name: String? = nil) {
        self.axes = axes
        super.init(name: name)
    }

    /// The input's shape.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let shape = try Self.only(inputShapes)
        _ = try positions(rank: shape.rank + 1)
        return shape
    }

    /// One operation over the last axis, which others are brought to and back.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        return try context.graph.softmax(input, over: positions(rank: context.graph.shape(of: input).rank))
    }

    /// The axes in order, counted from the batch axis, which cannot be among them.
    private func positions(rank: Int) throws(GraftError) -> [Int] {
        let own = Set(axes.map { $0 < 0 ? $0 + rank : $0 })
        guard !own.isEmpty, own.count == axes.count, own.allSatisfy({ (1..<max(rank, 1)).contains($0) }) else {
            throw GraftError(
                .argument, "Softmax: \(axes) are not distinct axes of an input with \(rank), the batch axis apart")
        }
        return own.sorted()
    }
}

extension Graph {
    /// A softmax whose sum goes over these axes: over the last one, which others are brought to and back.
    mutating func softmax(_ operand: ValueID, over axes: [Int]) throws(GraftError) -> ValueID {
        let shape = shape(of: operand)
        if axes == [shape.rank - 1] { return try softmax(operand) }
        let others = (0..<shape.rank).filter { !axes.contains($0) }
        let order = others + axes
        let turned = try permute(operand, axes: order)
        let joined = Shape(others.map { shape[$0] } + [axes.reduce(1) { $0 * shape[$1] }])
        let result = try softmax(reshape(turned, to: joined))
        let parted = try reshape(result, to: Shape(order.map { shape[$0] }))
        return try permute(parted, axes: (0..<shape.rank).map { order.firstIndex(of: $0) ?? 0 })
    }
}
