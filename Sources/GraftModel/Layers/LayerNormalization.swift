/// Normalizes each example by itself: `y = (x − mean) / √(variance + epsilon) · gamma + beta`.
///
/// Mean and variance, divided by the count, are those of one example's elements along `axes`, in training as in inference;
/// elements apart along other axes, such as the pixels of an image where the channels are normalized, have their own. Input
/// and output have the same shape. Variables, of the sizes of the axes: `gamma` where `scale`, `beta` where `center`.
///
/// Source: Ba et al., Layer Normalization, 2016, arXiv:1607.06450;
/// keras/src/layers/normalization/layer_normalization.py.
public final class LayerNormalization: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        LayerNormalization.self, LayerNormalization.init, .axes,
        .number("epsilon", \.epsilon, default: 1e-3, .notNegative), .flag("center", \.center, default: true),
        .flag("scale", \.scale, default: true),
        .initializer("beta_initializer", \.betaInitializer, default: .zeros),
        .initializer("gamma_initializer", \.gammaInitializer, default: .ones),
        .regularizer("beta_regularizer", \.betaRegularizer), .regularizer("gamma_regularizer", \.gammaRegularizer),
        .name, fixed: [.only("rms_scaling", false), .null("beta_constraint", "gamma_constraint")])

    /// The axes along which elements are normalized together, counted from the batch axis as in Keras.
    public let axes: [Int]
    /// What is added to the variance.
    public let epsilon: Double
    /// Whether `beta` is added.
    public let center: Bool
    /// Whether `gamma` multiplies.
    public let scale: Bool
    /// How `beta` begins.
    public let betaInitializer: Initializer
    /// How `gamma` begins.
    public let gammaInitializer: Initializer
    /// What is added to the loss for the size of `beta`.
    public let betaRegularizer: Regularizer?
    /// What is added to the loss for the size of `gamma`.
    public let gammaRegularizer: Regularizer?

    /// A normalization with Keras's defaults: of the last axis.
    public init(
        axes: [Int] = [-1], epsilon: Double = 1e-3, center: Bool = true, scale: Bool = true,
        betaInitializer: Initializer = .zeros, gammaInitializer: Initializer = .ones,
        betaRegularizer: Regularizer? = nil, gammaRegularizer: Regularizer? = nil, name: String? = nil
    ) {
        (self.axes, self.epsilon, self.center, self.scale) = (axes, epsilon, center, scale)
        (self.betaInitializer, self.gammaInitializer) = (betaInitializer, gammaInitializer)
        (self.betaRegularizer, self.gammaRegularizer) = (betaRegularizer, gammaRegularizer)
        super.init(name: name)
    }

    /// Makes gamma and beta.
    public override func build(inputShapes: [Shape]) throws(GraftError) {
        let example = try Self.only(inputShapes)
        let own = Shape(try normalizedAxes(of: example).map { example[$0 - 1] })
        if scale { try addVariable("gamma", shape: own, initializer: gammaInitializer, regularizer: gammaRegularizer) }
        if center { try addVariable("beta", shape: own, initializer: betaInitializer, regularizer: betaRegularizer) }
    }

    /// The input's shape.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let example = try Self.only(inputShapes)
        let own = Shape(try normalizedAxes(of: example).map { example[$0 - 1] })
        if let built = (variable(named: "gamma") ?? variable(named: "beta"))?.shape, built != own {
            throw GraftError(
                .shape, "LayerNormalization was built for \(built) along its axes; the input needs \(own)")
        }
        return example
    }

    /// Two means along the axes, and a multiplication and an addition with the variables.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        let shape = context.graph.shape(of: input)
        let axes = try normalizedAxes(of: Shape(Array(shape.dimensions.dropFirst())))
        let mean = try context.graph.reduce(.mean, input, axes: axes, keepDimensions: true)
        let distance = try context.graph.binary(.subtract, input, mean)
        let variance = try context.graph.reduce(
            .mean, context.graph.unary(.square, distance), axes: axes, keepDimensions: true)
        let deviation = try context.graph.binary(.add, variance, Float(epsilon))
        let factor = try context.graph.unary(.reciprocalSquareRoot, deviation)
        var output = try context.graph.binary(.multiply, distance, factor)
        let along = Shape((0..<shape.rank).map { axes.contains($0) ? shape[$0] : 1 })
        if scale { output = try context.graph.binary(.multiply, output, value("gamma", along, in: &context)) }
        if center { output = try context.graph.binary(.add, output, value("beta", along, in: &context)) }
        return output
    }

    private func value(
        _ name: String, _ shape: Shape, in context: inout LoweringContext
    ) throws(GraftError) -> ValueID {
        try context.graph.reshape(context.value(of: requireVariable(name)), to: shape)
    }

    /// The axes counted from the batch axis, sorted.
    private func normalizedAxes(of example: Shape) throws(GraftError) -> [Int] {
        let rank = example.rank + 1
        let own = Set(axes.map { $0 < 0 ? $0 + rank : $0 })
        guard !axes.isEmpty, own.count == axes.count, own.allSatisfy({ (1..<rank).contains($0) }) else {
            throw GraftError(
                .argument,
                "LayerNormalization: \(axes) are not distinct axes of \(example.batchDescription) other than the batch axis"
            )
        }
        return own.sorted()
    }
}

extension Argument<LayerNormalization, [Int]> {
    /// One axis or a list of them.
    fileprivate static var axes: Self {
        custom(
            "axis", \.axes, default: [-1],
            read: { (value) throws(GraftError) in
                let elements = value.elements ?? [value]
                let axes = elements.compactMap(\.integer)
                guard axes.count == elements.count else { throw value.isNot("whole numbers") }
                return axes
            }, write: { $0.configuration })
    }
}
