/// Attention: each position of a query takes the mean of the values at all positions, weighted by how well their keys fit it, in
/// several heads side by side.
///
/// With the projections q, k, v of a head: `softmax(q · kᵀ / √keyDim) · v`; the heads are projected together to the query's
/// width, or to `outputShape`.
///
/// ```swift
/// let attention = MultiHeadAttention(numHeads: 12, keyDim: 32)
/// let y = try attention(x, x, attentionMask: mask)          // self-attention
/// let z = try attention(x, memory, useCausalMask: true)
/// ```
///
/// Query `(batch, T, width)`, value and key `(batch, S, width)`, output `(batch, T, width)`. Variables, of Keras's shapes and in its
/// order: kernel and bias of `query`, `key`, (`gate`,) `value`, `attention_output`.
///
/// Sources: Vaswani et al., Attention Is All You Need, arXiv:1706.03762; keras/src/layers/attention/multi_head_attention.py.
public final class MultiHeadAttention: RandomLayer, @unchecked Sendable {  // constants; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        MultiHeadAttention.self, MultiHeadAttention.init, .count("num_heads", \.numHeads), .count("key_dim", \.keyDim),
        .valueDim, .number("dropout", \.dropout, default: 0, .fraction), .flag("use_bias", \.useBias, default: true),
        .outputShape, .attentionAxes, .slidingWindow,
        .initializer("kernel_initializer", \.kernelInitializer, default: .glorotUniform),
        .initializer("bias_initializer", \.biasInitializer, default: .zeros),
        .regularizer("kernel_regularizer", \.kernelRegularizer), .regularizer("bias_regularizer", \.biasRegularizer),
        .constraint("kernel_constraint", \.kernelConstraint), .constraint("bias_constraint", \.biasConstraint),
        .flag("use_gate", \.useGate, default: false), .seed, .name,
        // The shapes are Keras 2's, which builds the layer with them.
        fixed: [.null("activity_regularizer"), .anything("query_shape", "key_shape", "value_shape", "flash_attention")])

    /// How many heads there are.
    public let numHeads: Int
    /// The numbers of a head's query and key at a position.
    public let keyDim: Int
    /// The numbers of a head's value at a position.
    public let valueDim: Int
    /// The share of weights of the mean that is dropped in training.
    public let dropout: Double
    /// Whether the projections add a bias.
    public let useBias: Bool
    /// The sizes of a position's result; the query's width where `nil`.
    public let outputWidths: [Int]?
    /// The axes that positions lie along: `nil` or the one axis of a sequence.
    public let attentionAxes: [Int]?
    /// How far a position sees, itself counted; `nil` for all the way.
    public let slidingWindow: Int?
    /// How the kernels begin.
    public let kernelInitializer: Initializer
    /// How the biases begin.
    public let biasInitializer: Initializer
    /// What is added to the loss for the size of the kernels.
    public let kernelRegularizer: Regularizer?
    /// What is added to the loss for the size of the biases.
    public let biasRegularizer: Regularizer?
    /// What the kernels are brought back to after each step.
    public let kernelConstraint: Constraint?
    /// What the biases are brought back to after each step.
    public let biasConstraint: Constraint?
    /// Whether the heads' results are multiplied by a sigmoid of a projection of the query.
    public let useGate: Bool
    /// The projections.
    private let parts: [AttentionProjection]

    /// Attention with Keras's defaults.
    ///
    /// - Parameters:
    ///   - numHeads: How many heads there are.
    ///   - keyDim: The numbers of a head's query and key at a position.
    ///   - valueDim: The numbers of a head's value at a position; `keyDim` where `nil`.
    ///   - outputShape: The sizes of a position's result; the query's width where `nil`.
    ///   - attentionAxes: `nil`, or `[1]` which means the same.
    public init(
        numHeads: Int, keyDim: Int, valueDim: Int? = nil, dropout: Double = 0, useBias: Bool = true,
        outputShape: [Int]? = nil, attentionAxes: [Int]? = nil, slidingWindow: Int? = nil,
        kernelInitializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros,
        kernelRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil,
        kernelConstraint: Constraint? = nil, biasConstraint: Constraint? = nil, useGate: Bool = false,
        seed: Int? = nil, name: String? = nil
    ) {
        (self.numHeads, self.keyDim, self.valueDim) = (numHeads, keyDim, valueDim ?? keyDim)
        (self.dropout, self.useBias, self.outputWidths) = (dropout, useBias, outputShape)
        (self.attentionAxes, self.slidingWindow, self.useGate) = (attentionAxes, slidingWindow, useGate)
        (self.kernelInitializer, self.biasInitializer) = (kernelInitializer, biasInitializer)
        (self.kernelRegularizer, self.biasRegularizer) = (kernelRegularizer, biasRegularizer)
        (self.kernelConstraint, self.biasConstraint) = (kernelConstraint, biasConstraint)
        let settings = AttentionProjection.Settings(
            useBias: useBias, kernelInitializer: kernelInitializer, biasInitializer: biasInitializer,
            kernelRegularizer: kernelRegularizer, biasRegularizer: biasRegularizer, kernelConstraint: kernelConstraint,
            biasConstraint: biasConstraint)
        func heads(_ name: String, _ size: Int, place: String) -> AttentionProjection {
            AttentionProjection(.toHeads(count: numHeads, size: size), settings, place: place, name: name)
        }
        parts =
            [heads("query", keyDim, place: "query_dense"), heads("key", keyDim, place: "key_dense")]
            + (useGate ? [heads("gate", valueDim ?? keyDim, place: "_gate_dense")] : [])
            + [
                heads("value", valueDim ?? keyDim, place: "value_dense"),
                AttentionProjection(.fromHeads, settings, place: "output_dense", name: "attention_output"),
            ]
        super.init(seed: seed, name: name)
        renameParts()
    }

    package override var sublayers: [Layer] { parts }

    /// The layers inside with their places in Keras's files of weights, in Keras's order.
    package var placedParts: [(place: String, layer: Layer)] { parts.map { ($0.place, $0) } }

    package override func renameParts() {
        for part in parts { part.rename("\(name)/\(part.role)", explicitly: false) }
    }

    /// Keras takes one axis of positions alone here, and penalties of outputs once for each projection.
    public override func checkArguments() throws(GraftError) {
        try super.checkArguments()
        guard attentionAxes.map({ $0 == [1] || $0 == [-1] || $0.isEmpty }) ?? true else {
            throw GraftError(
                .argument,
                "MultiHeadAttention: attention_axes \(attentionAxes ?? []) name another axis than that of a sequence, (batch, "
                    + "steps, channels); bring the input to that form with Reshape")
        }
        guard outputWidths.map({ $0.count == 1 && $0[0] > 0 }) ?? true else {
            throw GraftError(
                .argument, "MultiHeadAttention: output_shape \(outputWidths ?? []) must be one positive size")
        }
        guard slidingWindow.map({ $0 > 0 }) ?? true else {
            throw GraftError(.argument, "MultiHeadAttention: sliding_window must be positive")
        }
        guard activityRegularizer == nil else {
            throw GraftError(
                .argument,
                "MultiHeadAttention: Keras counts an activity_regularizer once for each projection, which Graft does not; "
                    + "leave it out")
        }
    }

    /// The projection of a role.
    func part(_ role: String) throws(GraftError) -> AttentionProjection {
        guard let part = parts.first(where: { $0.role == role }) else {
            throw GraftError(.state, "the attention \(name) has no projection \(role)")
        }
        return part
    }

    // MARK: Calls: see MultiHeadAttention+Call.swift

    package override var callSignature: CallSignature? {
        CallSignature(
            tensors: ["query", "value", "key", "query_mask", "value_mask", "key_mask", "attention_mask"],
            positionalCount: 3, flags: [Self.causalFlag])
    }

    package override func builtShapes(
        of inputShapes: [Shape], _ arguments: CallArguments
    ) throws(GraftError) -> [Shape] { try operandShapes(inputShapes, arguments) }

    package override func outputShapes(
        for inputShapes: [Shape], _ arguments: CallArguments
    ) throws(GraftError) -> [Shape] { [try resultShape(inputShapes, arguments)] }

    package override func lowerAll(
        _ inputs: [ValueID], _ arguments: CallArguments, in context: inout LoweringContext
    ) throws(GraftError) -> [ValueID] { [try attend(inputs, arguments, in: &context)] }

    /// The shape for a query and a value, and perhaps a key.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        try resultShape(inputShapes, positional(inputShapes.count))
    }

    /// The operations for a query and a value, and perhaps a key.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try attend(inputs, positional(inputs.count), in: &context)
    }

    /// What the first inputs are where nothing names them.
    private func positional(_ count: Int) throws(GraftError) -> CallArguments {
        try callSignature?.positional(count, of: name) ?? .plain
    }

    /// Makes the projections.
    ///
    /// - Parameter inputShapes: those of query, value and, where it is another one, key.
    public override func build(inputShapes: [Shape]) throws(GraftError) {
        guard (2...3).contains(inputShapes.count), inputShapes.allSatisfy({ $0.rank == 2 }) else {
            throw GraftError(
                .argument,
                "MultiHeadAttention takes a query, a value and a key; it was given \(inputShapes.count) inputs")
        }
        let (query, value, key) = (inputShapes[0], inputShapes[1], inputShapes[inputShapes.count - 1])
        for part in parts {
            switch part.role {
            case "query", "gate": try part.buildIfNeeded([[query[1]]])
            case "key": try part.buildIfNeeded([[key[1]]])
            case "value": try part.buildIfNeeded([[value[1]]])
            default: try part.buildIfNeeded([[numHeads, valueDim, outputWidths?[0] ?? query[1]]])
            }
        }
    }
}

extension Argument<MultiHeadAttention, Int?> {
    /// A number, `key_dim` where a file has none.
    fileprivate static var valueDim: Self {
        custom(
            "value_dim", \.valueDim, default: .some(nil), Requirement { $0 > 0 ? nil : "must be positive, is \($0)" },
            read: { (value) throws(GraftError) in try value.expect(value.integer, "a whole number or null") },
            write: { .int($0) })
    }

    fileprivate static var slidingWindow: Self {
        custom(
            "sliding_window", \.slidingWindow, default: .some(nil),
            read: { (value) throws(GraftError) in try value.expect(value.integer, "a whole number or null") },
            write: { $0.configuration })
    }
}

extension Argument<MultiHeadAttention, [Int]?> {
    /// One size, a list of them or nothing.
    fileprivate static var outputShape: Self { .sizes("output_shape", \.outputWidths) }

    fileprivate static var attentionAxes: Self { .sizes("attention_axes", \.attentionAxes) }

    private static func sizes(_ key: String, _ path: Property<MultiHeadAttention, [Int]?>) -> Self {
        custom(
            key, path, default: .some(nil), read: { (value) throws(GraftError) in try value.axes() },
            write: { $0.configuration })
    }
}

extension Layer {
    /// Whether it is one of the projections of ``MultiHeadAttention``.
    package final var isProjection: Bool { self is AttentionProjection }

    /// The shape of a projection's variable as a matrix (out, in) or a vector (out), with heads and their numbers as one axis.
    package final func projectionShape(of shape: Shape) -> Shape {
        guard let projection = self as? AttentionProjection, shape.rank > 1 else { return shape }
        switch projection.direction {
        case .toHeads where shape.rank == 2: return [shape.elementCount]
        case .toHeads: return [shape[1] * shape[2], shape[0]]
        case .fromHeads: return [shape[2], shape[0] * shape[1]]
        }
    }
}
