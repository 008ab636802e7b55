import Synchronization

/// What a ``BatchNormalization`` normalizes with while it trains.
public enum NormalizationStatistics: String, Codable, Hashable, Sendable, CaseIterable {
    /// The mean and variance of the batch, which the moving ones follow: Keras's way in training.
    case updating
    /// The stored mean and variance, which stay as they are; scale and offset may train. What Keras's guide to
    /// fine-tuning advises (`base(x, training=False)`), and how bases with published weights begin.
    case frozen
}

/// Normalizes each channel: `y = (x − mean) / √(variance + epsilon) · gamma + beta`.
///
/// In inference mode, and always while the layer or a model that holds it is frozen, mean and variance are the stored
/// moving ones. In training they are those of the batch, over all axes but `axis`, and the moving ones follow:
/// `moving = moving · momentum + batch · (1 − momentum)`, with the variance divided by the count, as in Keras. So a
/// frozen layer gives the same output in `fit` as in `predict`, and freezing changes what a training step computes.
///
/// With ``statistics`` `.frozen` a layer that trains normalizes with the stored statistics too, and leaves them alone:
/// `gamma` and `beta` train, and `fit` and `evaluate` see the same network. Bases with published weights begin so, as
/// a few small batches of new images would spoil statistics of millions; `.updating` is the explicit choice to let
/// them follow.
///
/// Input and output `(batch, …, channels)`. Variables of shape (channels): `gamma` where `scale`, `beta` where `center`,
/// `moving_mean`, `moving_variance`; the last two never train.
///
/// Source: keras/src/layers/normalization/batch_normalization.py.
public final class BatchNormalization: Layer, @unchecked Sendable {  // a lock guards what changes
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        BatchNormalization.self, BatchNormalization.init,
        .axis, .number("momentum", \.momentum, default: 0.99), .number("epsilon", \.epsilon, default: 1e-3),
        .flag("center", \.center, default: true), .flag("scale", \.scale, default: true),
        .initializer("beta_initializer", \.betaInitializer, default: .zeros),
        .initializer("gamma_initializer", \.gammaInitializer, default: .ones),
        .initializer("moving_mean_initializer", \.movingMeanInitializer, default: .zeros),
        .initializer("moving_variance_initializer", \.movingVarianceInitializer, default: .ones),
        .regularizer("beta_regularizer", \.betaRegularizer),
        .regularizer("gamma_regularizer", \.gammaRegularizer), .constraint("beta_constraint", \.betaConstraint),
        .constraint("gamma_constraint", \.gammaConstraint), .name,
        fixed: [
            .null("renorm_clipping"), .only("synchronized", false),
            .only("renorm", false), .ignored("renorm_momentum", 0.99),
        ])

    /// The axis of the channels, counted from the batch axis as in Keras, or from the last where negative.
    public let axis: Int
    /// How much of the moving statistics stays at each step.
    public let momentum: Double
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
    /// How the moving mean begins.
    public let movingMeanInitializer: Initializer
    /// How the moving variance begins.
    public let movingVarianceInitializer: Initializer
    /// What is added to the loss for the size of `beta`.
    public let betaRegularizer: Regularizer?
    /// What is added to the loss for the size of `gamma`.
    public let gammaRegularizer: Regularizer?
    /// What `beta` is brought back to after each step.
    public let betaConstraint: Constraint?
    /// What `gamma` is brought back to after each step.
    public let gammaConstraint: Constraint?

    private let chosenStatistics = Mutex(NormalizationStatistics.updating)

    /// What the layer normalizes with while it trains; takes effect at the next `fit`. Frozen layers use the stored
    /// statistics whatever is said here.
    public var statistics: NormalizationStatistics {
        get { chosenStatistics.withLock { $0 } }
        set { chosenStatistics.withLock { $0 = newValue } }
    }

    /// A normalization with Keras's defaults.
    public init(
        axis: Int = -1, momentum: Double = 0.99, epsilon: Double = 1e-3, center: Bool = true, scale: Bool = true,
        betaInitializer: Initializer = .zeros, gammaInitializer: Initializer = .ones,
        movingMeanInitializer: Initializer = .zeros, movingVarianceInitializer: Initializer = .ones,
        betaRegularizer: Regularizer? = nil, gammaRegularizer: Regularizer? = nil,
        betaConstraint: Constraint? = nil, gammaConstraint: Constraint? = nil, name: String? = nil
    ) {
        (self.betaConstraint, self.gammaConstraint) = (betaConstraint, gammaConstraint)
        (self.betaRegularizer, self.gammaRegularizer) = (betaRegularizer, gammaRegularizer)
        (self.axis, self.momentum, self.epsilon, self.center, self.scale) = (axis, momentum, epsilon, center, scale)
        (self.betaInitializer, self.gammaInitializer) = (betaInitializer, gammaInitializer)
        self.movingMeanInitializer = movingMeanInitializer
        self.movingVarianceInitializer = movingVarianceInitializer
        super.init(name: name)
    }

    /// Makes gamma, beta and the moving statistics.
    public override func build(inputShapes: [Shape]) throws(GraftError) {
        let channels: Shape = [try channelled(inputShapes).channels]
        if scale {
            try addVariable(
                "gamma", shape: channels, initializer: gammaInitializer, regularizer: gammaRegularizer,
                constraint: gammaConstraint)
        }
        if center {
            try addVariable(
                "beta", shape: channels, initializer: betaInitializer, regularizer: betaRegularizer,
                constraint: betaConstraint)
        }
        try addVariable("moving_mean", shape: channels, initializer: movingMeanInitializer, trainable: false)
        try addVariable("moving_variance", shape: channels, initializer: movingVarianceInitializer, trainable: false)
    }

    /// The input's shape.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let (shape, channels) = try channelled(inputShapes)
        if let built = variable(named: "moving_mean")?.shape.last, built != channels {
            throw GraftError(.shape, "BatchNormalization was built for \(built) channels; it was given \(channels)")
        }
        return shape
    }

    /// A multiplication and an addition of vectors, made from the stored statistics or from the batch's.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        let usesBatch = context.training && trainable && !context.isFrozen && statistics == .updating
        let (mean, variance) = try usesBatch ? batchStatistics(input, in: &context) : storedStatistics(in: &context)
        let deviation = try context.graph.binary(.add, variance, Float(epsilon))
        var factor = try context.graph.unary(.reciprocalSquareRoot, deviation)
        if scale { factor = try context.graph.binary(.multiply, context.value(of: requireVariable("gamma")), factor) }
        var shift = try context.graph.binary(.multiply, mean, factor)
        if center {
            shift = try context.graph.binary(.subtract, context.value(of: requireVariable("beta")), shift)
        } else {
            shift = try context.graph.unary(.negate, shift)
        }
        (factor, shift) = try (along(input, factor, in: &context), along(input, shift, in: &context))
        return try context.graph.binary(.add, context.graph.binary(.multiply, input, factor), shift)
    }

    /// A vector of the channels, with the axes that it needs to meet those of the input.
    private func along(
        _ input: ValueID, _ vector: ValueID, in context: inout LoweringContext
    ) throws(GraftError) -> ValueID {
        let shape = context.graph.shape(of: input)
        let axis = channelAxis(rank: shape.rank)
        guard axis < shape.rank - 1 else { return vector }
        let kept = (0..<shape.rank).map { $0 == axis ? shape[$0] : 1 }
        return try context.graph.reshape(vector, to: Shape(kept))
    }

    /// The axis of the channels of an input with so many axes, the batch axis counted.
    private func channelAxis(rank: Int) -> Int { axis < 0 ? axis + rank : axis }

    private func storedStatistics(
        in context: inout LoweringContext
    ) throws(GraftError) -> (mean: ValueID, variance: ValueID) {
        let mean = try context.value(of: requireVariable("moving_mean"))
        return (mean, try context.value(of: requireVariable("moving_variance")))
    }

    private func batchStatistics(
        _ input: ValueID, in context: inout LoweringContext
    ) throws(GraftError) -> (mean: ValueID, variance: ValueID) {
        let rank = context.graph.shape(of: input).rank
        let axes = (0..<rank).filter { $0 != channelAxis(rank: rank) }
        let mean = try context.graph.reduce(.mean, input, axes: axes)
        let distance = try context.graph.binary(.subtract, input, along(input, mean, in: &context))
        let variance = try context.graph.reduce(.mean, context.graph.unary(.square, distance), axes: axes)
        try follow("moving_mean", mean, in: &context)
        try follow("moving_variance", variance, in: &context)
        return (mean, variance)
    }

    private func follow(
        _ name: String, _ batch: ValueID, in context: inout LoweringContext
    ) throws(GraftError) {
        let variable = try requireVariable(name)
        let kept = try context.graph.binary(.multiply, context.value(of: variable), Float(momentum))
        let added = try context.graph.binary(.multiply, batch, Float(1 - momentum))
        context.update(variable, to: try context.graph.binary(.add, kept, added))
    }

    private func channelled(_ inputShapes: [Shape]) throws(GraftError) -> (shape: Shape, channels: Int) {
        let shape = try Self.only(inputShapes)
        let position = channelAxis(rank: shape.rank + 1)
        guard (1..<shape.rank + 1).contains(position) else {
            throw GraftError(
                .shape,
                "BatchNormalization: axis \(axis) is none of \(shape.batchDescription) other than the batch axis")
        }
        return (shape, shape[position - 1])
    }
}

extension Argument<BatchNormalization, Int> {
    /// A number, or a list with one, as older files have it.
    fileprivate static var axis: Self {
        custom(
            "axis", \.axis, default: -1,
            read: { (value) throws(GraftError) in
                let elements = value.elements ?? [value]
                guard elements.count == 1, let axis = elements[0].integer else { throw value.isNot("one whole number") }
                return axis
            }, write: { $0.configuration })
    }
}
