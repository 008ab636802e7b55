/// x where it is positive, `alpha · x` elsewhere, with slopes that train.
///
/// Input and output have the same shape. Variable: `alpha`, of the shape of one example with 1 for the axes that share
/// their slopes. Source: keras/src/layers/activations/prelu.py.
public final class PReLU: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        PReLU.self, PReLU.init, .initializer("alpha_initializer", \.alphaInitializer, default: .zeros),
        .regularizer("alpha_regularizer", \.alphaRegularizer), .constraint("alpha_constraint", \.alphaConstraint),
        .sharedAxes, .name)

    /// How the slopes begin.
    public let alphaInitializer: Initializer
    /// What is added to the loss for the size of the slopes.
    public let alphaRegularizer: Regularizer?
    /// What the slopes are brought back to after each step.
    public let alphaConstraint: Constraint?
    /// The axes along which all places have one slope, counted from the batch axis: `[1, 2]` for one slope a channel.
    public let sharedAxes: [Int]?

    /// A layer with Keras's defaults: a slope for each element of an example.
    public init(
        alphaInitializer: Initializer = .zeros, alphaRegularizer: Regularizer? = nil,
        alphaConstraint: Constraint? = nil, sharedAxes: [Int]? = nil, name: String? = nil
    ) {
        (self.alphaInitializer, self.alphaRegularizer) = (alphaInitializer, alphaRegularizer)
        (self.alphaConstraint, self.sharedAxes) = (alphaConstraint, sharedAxes)
        super.init(name: name)
    }

    /// Makes the slopes.
    public override func build(inputShapes: [Shape]) throws(GraftError) {
        try addVariable(
            "alpha", shape: slopes(for: Self.only(inputShapes)), initializer: alphaInitializer,
            regularizer: alphaRegularizer, constraint: alphaConstraint)
    }

    /// The input's shape.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let shape = try Self.only(inputShapes)
        let needed = try slopes(for: shape)
        if let built = variable(named: "alpha")?.shape, built != needed {
            throw GraftError(.shape, "PReLU was built for slopes of the shape \(built); the input needs \(needed)")
        }
        return shape
    }

    /// Two rectifiers, one of them times the slopes.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let x = try Self.only(inputs)
        let below = try context.graph.unary(.relu, context.graph.unary(.negate, x))
        let slopes = try context.value(of: requireVariable("alpha"))
        return try context.graph.binary(
            .subtract, context.graph.unary(.relu, x), context.graph.binary(.multiply, slopes, below))
    }

    private func slopes(for example: Shape) throws(GraftError) -> Shape {
        let shared = sharedAxes ?? []
        guard shared.allSatisfy({ (1...max(example.rank, 1)).contains($0) }), example.rank > 0 else {
            throw GraftError(
                .argument,
                "PReLU: \(shared) are not axes of \(example.batchDescription) other than the batch axis")
        }
        return Shape(example.dimensions.enumerated().map { shared.contains($0 + 1) ? 1 : $1 })
    }
}

extension Argument<PReLU, [Int]?> {
    /// One axis, a list of them, or nothing.
    fileprivate static var sharedAxes: Self {
        custom(
            "shared_axes", \.sharedAxes, default: .some(nil),
            read: { (value) throws(GraftError) in try value.axes() }, write: { $0.configuration })
    }
}
