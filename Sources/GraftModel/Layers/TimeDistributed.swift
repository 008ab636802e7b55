/// A layer that is applied to each step of a sequence by itself, with the same variables.
///
/// Input `(batch, steps, …)`, output `(batch, steps, what the layer makes of …)`. The steps of all examples are a batch of the
/// layer's: a ``BatchNormalization`` inside that trains takes its statistics from all of them together, where Keras takes
/// them step by step.
///
/// Source: keras/src/layers/rnn/time_distributed.py.
public final class TimeDistributed: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    /// What is applied.
    public let layer: Layer

    /// A layer or a model with one input and one output, for each step.
    public init(_ layer: Layer, name: String? = nil) {
        self.layer = layer
        super.init(name: name)
    }

    package override var sublayers: [Layer] { [layer] }

    /// The layer as Keras writes it.
    public override var arguments: [String: Configuration] { ["layer": layer.serialized] }

    /// Builds the layer for one step.
    public override func build(inputShapes: [Shape]) throws(GraftError) {
        try layer.buildIfNeeded([step(of: Self.only(inputShapes))])
    }

    /// The steps, and the layer's shape for one of them.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let shape = try Self.only(inputShapes)
        let result = try layer.outputShapes(for: [step(of: shape)])
        return Shape([shape[0]] + (try Self.only(result)).dimensions)
    }

    /// The layer's operations between two reshapes.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        let shape = context.graph.shape(of: input)
        let rows = try context.graph.reshape(
            input, to: Shape([shape[0] * shape[1]] + shape.dimensions.dropFirst(2)))
        let isFrozen = context.isFrozen
        defer { context.isFrozen = isFrozen }
        context.isFrozen = isFrozen || !trainable
        let result = try Self.only(layer.lowerAll([rows], in: &context))
        return try context.graph.reshape(
            result, to: Shape([shape[0], shape[1]] + context.graph.shape(of: result).dimensions.dropFirst()))
    }

    private func step(of shape: Shape) throws(GraftError) -> Shape {
        guard shape.rank > 1 else {
            throw GraftError(
                .shape, "TimeDistributed takes (steps, …); it was given \(shape.batchDescription), which has no steps")
        }
        return Shape(Array(shape.dimensions.dropFirst()))
    }
}
