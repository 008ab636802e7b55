/// The channels in groups, each group of each example normalized by its own mean and variance:
/// `y = (x − mean) / √(variance + epsilon) · gamma + beta`.
///
/// Input and output have the same shape; the channels are along `axis`. As many groups as channels, or −1, is instance
/// normalization, one group is layer normalization of all axes. Variables of shape (channels): `gamma` where `scale`, `beta`
/// where `center`.
///
/// Source: Wu and He, Group Normalization, arXiv:1803.08494; keras/src/layers/normalization/group_normalization.py.
public final class GroupNormalization: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        GroupNormalization.self, GroupNormalization.init, .integer("groups", \.groups, default: 32),
        .integer("axis", \.axis, default: -1), .number("epsilon", \.epsilon, default: 1e-3, .notNegative),
        .flag("center", \.center, default: true), .flag("scale", \.scale, default: true),
        .initializer("beta_initializer", \.betaInitializer, default: .zeros),
        .initializer("gamma_initializer", \.gammaInitializer, default: .ones),
        .regularizer("beta_regularizer", \.betaRegularizer), .regularizer("gamma_regularizer", \.gammaRegularizer),
        .constraint("beta_constraint", \.betaConstraint), .constraint("gamma_constraint", \.gammaConstraint), .name)

    /// How many groups; −1 for as many as there are channels.
    public let groups: Int
    /// The axis of the channels, counted from the batch axis as in Keras, or from the last where negative.
    public let axis: Int
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
    /// What `beta` is brought back to after each step.
    public let betaConstraint: Constraint?
    /// What `gamma` is brought back to after each step.
    public let gammaConstraint: Constraint?

    /// A normalization with Keras's defaults.
    public init(
        _ groups: Int = 32, axis: Int = -1, epsilon: Double = 1e-3, center: Bool = true, scale: Bool = true,
        betaInitializer: Initializer = .zeros, gammaInitializer: Initializer = .ones,
        betaRegularizer: Regularizer? = nil, gammaRegularizer: Regularizer? = nil,
        betaConstraint: Constraint? = nil, gammaConstraint: Constraint? = nil, name: String? = nil
    ) {
        (self.groups, self.axis, self.epsilon, self.center, self.scale) = (groups, axis, epsilon, center, scale)
        (self.betaInitializer, self.gammaInitializer) = (betaInitializer, gammaInitializer)
        (self.betaRegularizer, self.gammaRegularizer) = (betaRegularizer, gammaRegularizer)
        (self.betaConstraint, self.gammaConstraint) = (betaConstraint, gammaConstraint)
        super.init(name: name)
    }

    /// Makes gamma and beta.
    public override func build(inputShapes: [Shape]) throws(GraftError) {
        let channels: Shape = [try parts(of: Self.only(inputShapes)).channels]
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
    }

    /// The input's shape.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let shape = try Self.only(inputShapes)
        let channels = try parts(of: shape).channels
        if let built = ownVariables.first?.shape.last, built != channels {
            throw GraftError(.shape, "GroupNormalization was built for \(built) channels; it was given \(channels)")
        }
        return shape
    }

    /// Means over the places and channels of a group, a multiplication and an addition.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        let shape = context.graph.shape(of: input)
        let (axis, groups, channels) = try parts(of: Shape(Array(shape.dimensions.dropFirst())))
        // The axis of the channels becomes two: the groups, and the channels of one.
        let parted = [groups, channels / groups]
        let grouped = Shape(Array(shape.dimensions[..<axis]) + parted + Array(shape.dimensions[(axis + 1)...]))
        let x = try context.graph.reshape(input, to: grouped)
        let axes = (1..<grouped.rank).filter { $0 != axis }
        let mean = try context.graph.reduce(.mean, x, axes: axes, keepDimensions: true)
        let distance = try context.graph.binary(.subtract, x, mean)
        let variance = try context.graph.reduce(
            .mean, context.graph.unary(.square, distance), axes: axes, keepDimensions: true)
        var factor = try context.graph.unary(
            .reciprocalSquareRoot, context.graph.binary(.add, variance, Float(epsilon)))
        let ones = Shape((0..<grouped.rank).map { $0 == axis || $0 == axis + 1 ? grouped[$0] : 1 })
        if scale {
            let gamma = try context.graph.reshape(context.value(of: requireVariable("gamma")), to: ones)
            factor = try context.graph.binary(.multiply, factor, gamma)
        }
        var result = try context.graph.binary(.multiply, distance, factor)
        if center {
            let beta = try context.graph.reshape(context.value(of: requireVariable("beta")), to: ones)
            result = try context.graph.binary(.add, result, beta)
        }
        return try context.graph.reshape(result, to: shape)
    }

    /// The axis of the channels, counted from the batch axis, the groups and the channels of an example.
    private func parts(of example: Shape) throws(GraftError) -> (axis: Int, groups: Int, channels: Int) {
        let position = axis < 0 ? axis + example.rank + 1 : axis
        guard (1..<example.rank + 1).contains(position) else {
            throw GraftError(
                .argument,
                "GroupNormalization: \(axis) is no axis of \(example.batchDescription) other than the batch axis")
        }
        let channels = example[position - 1]
        let groups = groups == -1 ? channels : groups
        guard groups > 0, channels % groups == 0 else {
            throw GraftError(
                .shape, "GroupNormalization: \(channels) channels cannot be divided into \(groups) groups")
        }
        return (position, groups, channels)
    }
}
