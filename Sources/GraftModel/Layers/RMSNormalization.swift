/// Each vector along some axes divided by the root of its mean square: `y = x / √(mean(x²) + epsilon) · scale`.
///
/// Input and output have the same shape; `axes` are counted from the batch axis as in Keras, the last one by default.
/// Variable: `scale`, of the sizes of those axes, which is multiplied from the last axis on, as Keras does it.
///
/// Source: Zhang and Sennrich, Root Mean Square Layer Normalization, arXiv:1910.07467;
/// keras/src/layers/normalization/rms_normalization.py.
public final class RMSNormalization: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        RMSNormalization.self, RMSNormalization.init(axes:epsilon:name:), .axes,
        .number("epsilon", \.epsilon, default: 1e-6, .notNegative), .name)

    /// The axes whose elements make a vector.
    public let axes: [Int]
    /// What is added to the mean square.
    public let epsilon: Double

    /// A normalization over the last axis, by default.
    public init(axes: [Int] = [-1], epsilon: Double = 1e-6, name: String? = nil) {
        (self.axes, self.epsilon) = (axes, epsilon)
        super.init(name: name)
    }

    /// Makes the scale.
    public override func build(inputShapes: [Shape]) throws(GraftError) {
        let shape = try Self.only(inputShapes)
        let sizes = try positions(in: shape).map { shape[$0 - 1] }
        try addVariable("scale", shape: Shape(sizes), initializer: .ones)
    }

    /// The input's shape.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let shape = try Self.only(inputShapes)
        let sizes = Shape(try positions(in: shape).map { shape[$0 - 1] })
        guard sizes.broadcast(with: shape) == shape, sizes == variable(named: "scale")?.shape ?? sizes else {
            throw GraftError(
                .shape,
                "RMSNormalization: a scale of the shape \(variable(named: "scale")?.shape ?? sizes) does not fit the last axes of "
                    + shape.batchDescription)
        }
        return shape
    }

    /// A mean of squares and two multiplications.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        let example = Shape(Array(context.graph.shape(of: input).dimensions.dropFirst()))
        let mean = try context.graph.reduce(
            .mean, context.graph.unary(.square, input), axes: positions(in: example), keepDimensions: true)
        let shifted = try context.graph.binary(.add, mean, Float(epsilon))
        let unit = try context.graph.binary(.multiply, input, context.graph.unary(.reciprocalSquareRoot, shifted))
        return try context.graph.binary(.multiply, unit, context.value(of: requireVariable("scale")))
    }

    /// The axes in order, counted from the batch axis, which cannot be among them.
    private func positions(in example: Shape) throws(GraftError) -> [Int] {
        let rank = example.rank + 1
        let own = Set(axes.map { $0 < 0 ? $0 + rank : $0 })
        guard !own.isEmpty, own.count == axes.count, own.allSatisfy({ (1..<rank).contains($0) }) else {
            throw GraftError(
                .argument,
                "RMSNormalization: \(axes) are not distinct axes of \(example.batchDescription) other than the batch axis"
            )
        }
        return own.sorted()
    }
}

extension Argument<RMSNormalization, [Int]> {
    /// A list, as Keras writes it once the layer is built, or one number.
    fileprivate static var axes: Self {
        custom(
            "axis", \.axes, default: [-1], read: { (value) throws(GraftError) in try value.axes() },
            write: { $0.configuration })
    }
}
