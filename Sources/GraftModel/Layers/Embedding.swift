/// Turns ids into vectors: `y = embeddings[id]`, a row of a table that trains.
///
/// Input `(batch, …)` of whole numbers from 0, output `(batch, …, outputDim)`. Variable: `embeddings` (inputDim, outputDim). Ids
/// come from an input of `int32`, or of `float32`, which is exact up to 2²⁴, the most rows that a table has. A number that is
/// not whole counts as the next one towards 0, as in Keras. The gradient reaches the rows that a batch names, and no id.
///
/// An id of an input that has no row is an error, in `fit`, `evaluate` and `predict`: Keras raises one for those that are too
/// large, and takes −1 for the last row. An id that other layers computed and that has no row gives zeros.
///
/// Keras's `mask_zero` is not known: layers here take no mask.
///
/// Source: keras/src/layers/core/embedding.py.
public final class Embedding: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        Embedding.self, Embedding.init, .count("input_dim", \.inputDim), .count("output_dim", \.outputDim),
        .initializer("embeddings_initializer", \.embeddingsInitializer, default: .randomUniform()),
        .regularizer("embeddings_regularizer", \.embeddingsRegularizer),
        .constraint("embeddings_constraint", \.embeddingsConstraint), .name,
        fixed: [
            .null("activity_regularizer", "quantization_config"), .only("mask_zero", false),
            .anything("lora_rank", "lora_alpha"),
        ])

    /// How many ids there are: the largest one and 1.
    public let inputDim: Int
    /// The numbers of a vector.
    public let outputDim: Int
    /// How the table begins.
    public let embeddingsInitializer: Initializer
    /// What is added to the loss for the size of the table.
    public let embeddingsRegularizer: Regularizer?
    /// What the table is brought back to after each step.
    public let embeddingsConstraint: Constraint?

    /// A table of `inputDim` vectors of `outputDim` numbers, with Keras's defaults.
    public init(
        inputDim: Int, outputDim: Int, embeddingsInitializer: Initializer = .randomUniform(),
        embeddingsRegularizer: Regularizer? = nil, embeddingsConstraint: Constraint? = nil, name: String? = nil
    ) {
        self.embeddingsConstraint = embeddingsConstraint
        (self.inputDim, self.outputDim) = (inputDim, outputDim)
        (self.embeddingsInitializer, self.embeddingsRegularizer) = (embeddingsInitializer, embeddingsRegularizer)
        super.init(name: name)
    }

    /// The table; `nil` before the layer is built.
    public var embeddings: Variable? { variable(named: "embeddings") }

    /// Makes the table.
    public override func build(inputShapes: [Shape]) throws(GraftError) {
        try addVariable(
            "embeddings", shape: [inputDim, outputDim], initializer: embeddingsInitializer,
            regularizer: embeddingsRegularizer, constraint: embeddingsConstraint)
    }

    /// The input's shape with a vector for each id.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        Shape(try Self.only(inputShapes).dimensions + [outputDim])
    }

    /// One gather.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let ids = try Self.only(inputs)
        return try context.graph.gather(context.value(of: requireVariable("embeddings")), at: ids)
    }
}
