/// The sums of products of two tensors along an axis of each.
///
/// Of `(batch, a…, n)` and `(batch, n, b…)` with the axes 2 and 1, for instance, `(batch, a…, b…)`; of two vectors with the
/// axes 1 and 1, `(batch, 1)`. With `normalize` the vectors along the axes have length 1, so that the result is the cosine of
/// their angle.
///
/// Source: keras/src/layers/merging/dot.py.
public final class Dot: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        Dot.self, Dot.init(axes:normalize:name:), .axes("axes", \.axes, default: nil),
        .flag("normalize", \.normalize, default: false), .name, traits: [.takesList])

    /// The axis of each input, or one for both, counted from the batch axis, or from the last where negative.
    public let axes: [Int]
    /// Whether vectors have length 1.
    public let normalize: Bool

    /// The square of the smallest length, Keras's `epsilon()`².
    private static let smallestSquare: Float = 1e-14

    /// A product along an axis of each input, or along the same one of both.
    public init(axes: [Int], normalize: Bool = false, name: String? = nil) {
        (self.axes, self.normalize) = (axes, normalize)
        super.init(name: name)
    }

    /// One axis or two.
    public override func checkArguments() throws(GraftError) {
        guard [1, 2].contains(axes.count) else {
            throw GraftError(.argument, "Dot: \(axes) must be one axis, or one for each of two inputs")
        }
    }

    /// The axes of both without those of the sums; 1 where none is left.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        guard inputShapes.count == 2 else {
            throw GraftError(.argument, "Dot takes two inputs; it was given \(inputShapes.count)")
        }
        let positions = try inputShapes.enumerated().map { (index, shape) throws(GraftError) in
            try position(of: index, shape)
        }
        let (left, right) = (inputShapes[0], inputShapes[1])
        guard left[positions[0]] == right[positions[1]] else {
            throw GraftError(
                .shape,
                "Dot: axis \(positions[0] + 1) of \(left.batchDescription) and axis \(positions[1] + 1) of "
                    + "\(right.batchDescription) have different sizes")
        }
        let rest = Self.without(positions[0], left) + Self.without(positions[1], right)
        return rest.isEmpty ? [1] : Shape(rest)
    }

    /// A product of matrices for each example.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let shapes = inputs.map { Shape(Array(context.graph.shape(of: $0).dimensions.dropFirst())) }
        let result = try outputShape(for: shapes)
        let batch = context.graph.shape(of: inputs[0])[0]
        var matrices: [ValueID] = []
        for (index, (input, shape)) in zip(inputs, shapes).enumerated() {
            let axis = try position(of: index, shape)
            var operand = input
            if normalize {
                operand = try context.graph.unitVectors(
                    operand, axes: [axis + 1], smallestSquare: Self.smallestSquare)
            }
            let others = (0..<shape.rank).filter { $0 != axis }.map { $0 + 1 }
            let turned = try context.graph.permute(operand, axes: [0] + others + [axis + 1])
            let rows = Self.without(axis, shape).reduce(1, *)
            try matrices.append(context.graph.reshape(turned, to: [batch, rows, shape[axis]]))
        }
        let product = try context.graph.batchedMatrixProduct(matrices[0], matrices[1], transposeRight: true)
        return try context.graph.reshape(product, to: Shape([batch] + result.dimensions))
    }

    private static func without(_ axis: Int, _ shape: Shape) -> [Int] {
        shape.dimensions.indices.filter { $0 != axis }.map { shape[$0] }
    }

    /// The axis of an input among those of an example.
    private func position(of input: Int, _ shape: Shape) throws(GraftError) -> Int {
        let axis = axes.count == 1 ? axes[0] : axes[input]
        let position = (axis < 0 ? axis + shape.rank + 1 : axis) - 1
        guard shape.dimensions.indices.contains(position) else {
            throw GraftError(
                .argument, "Dot: \(axis) is no axis of \(shape.batchDescription) other than the batch axis")
        }
        return position
    }
}
