import Synchronization

/// A network: the layers between some inputs and some outputs. A model is a layer, so that it can be part of others.
///
/// ```swift
/// let x = Input(shape: [150, 150, 3])
/// let y = try Dense(10, activation: .softmax)(GlobalAveragePooling2D()(Conv2D(32, kernelSize: 3)(x)))
/// let model = try Model(inputs: x, outputs: y)
/// ```
///
/// Models that are made from the tensors of others share their layers and variables.
///
/// Source: keras/src/models/functional.py.
public class Model: Layer, @unchecked Sendable {  // what changes is guarded by `content`
    /// Keras's name.
    public override class var className: String { "Functional" }

    private let content: Mutex<Content>

    private struct Content {
        var graph: ModelGraph?
        var seed: UInt64
        var metadata = ModelMetadata()
        var readingNotes: [String] = []
        var attachments: [ObjectIdentifier: any Sendable] = [:]
    }

    /// The model between these inputs and outputs.
    ///
    /// - Parameters:
    ///   - inputs: Tensors from ``Input(shape:dtype:name:)``, or tensors inside another model: new inputs take their place.
    ///   - outputs: Tensors that depend on the inputs alone.
    ///   - name: The model's name.
    ///   - seed: What the initial values of its variables are drawn from, where nothing was drawn or loaded before.
    /// - Throws: ``GraftError`` with code `argument` where an output needs another input, or two layers were given the
    ///   same name.
    public init(
        inputs: [SymbolicTensor], outputs: [SymbolicTensor], name: String? = nil, seed: UInt64 = 0
    ) throws(GraftError) {
        content = Mutex(Content(seed: seed))
        super.init(name: name)
        try adopt(ModelGraph(inputs: inputs, outputs: outputs))
    }

    /// The model between one input and one output.
    public convenience init(
        inputs: SymbolicTensor, outputs: SymbolicTensor, name: String? = nil, seed: UInt64 = 0
    ) throws(GraftError) {
        try self.init(inputs: [inputs], outputs: [outputs], name: name, seed: seed)
    }

    /// The model between several inputs and one output.
    public convenience init(
        inputs: [SymbolicTensor], outputs: SymbolicTensor, name: String? = nil, seed: UInt64 = 0
    ) throws(GraftError) {
        try self.init(inputs: inputs, outputs: [outputs], name: name, seed: seed)
    }

    /// The model between one input and several outputs.
    public convenience init(
        inputs: SymbolicTensor, outputs: [SymbolicTensor], name: String? = nil, seed: UInt64 = 0
    ) throws(GraftError) {
        try self.init(inputs: [inputs], outputs: outputs, name: name, seed: seed)
    }

    /// A model that has no graph yet, as a ``Sequential`` before its input is known.
    init(unbuiltWithName name: String?, trainable: Bool, seed: UInt64) {
        content = Mutex(Content(seed: seed))
        super.init(name: name, trainable: trainable)
    }

    // MARK: What it is made of

    /// The places where data enters; empty before a ``Sequential`` knows its input.
    public final var inputs: [SymbolicTensor] { graph?.inputs ?? [] }

    /// The places where results come out; empty before a ``Sequential`` knows its input.
    public final var outputs: [SymbolicTensor] { graph?.outputs ?? [] }

    /// The one input.
    ///
    /// - Throws: ``GraftError`` where the model has several, or none yet.
    public override var input: SymbolicTensor {
        get throws(GraftError) { try onlyTensor(requireGraph().inputs, "input") }
    }

    /// The one output.
    ///
    /// - Throws: ``GraftError`` where the model has several, or none yet.
    public override var output: SymbolicTensor {
        get throws(GraftError) { try onlyTensor(requireGraph().outputs, "output") }
    }

    /// The layers in Keras's order: by falling depth (the longest way to an output), in the order of traversal where
    /// depths agree. Input layers are among them.
    public var layers: [Layer] { graph?.layers ?? [] }

    /// What the model knows next to its layers and weights: classes, and how an image becomes its input.
    public final var metadata: ModelMetadata {
        get { content.withLock { $0.metadata } }
        set { content.withLock { $0.metadata = newValue } }
    }

    /// What was read from a file in another way than it stands there, and is no mistake; empty for other models.
    package final var readingNotes: [String] {
        get { content.withLock { $0.readingNotes } }
        set { content.withLock { $0.readingNotes = newValue } }
    }

    /// What the initial values of the variables are drawn from; a new one holds for those not drawn or loaded yet.
    public final var seed: UInt64 {
        get { content.withLock { $0.seed } }
        set {
            content.withLock { $0.seed = newValue }
            assignRandomStreams()
        }
    }

    /// What another room keeps with the model, such as what training compiled; made when it is first asked for, one of
    /// a type.
    package final func attachment<Attachment: Sendable>(_ make: () -> Attachment) -> Attachment {
        content.withLock { content in
            let type = ObjectIdentifier(Attachment.self)
            if let attachment = content.attachments[type] as? Attachment { return attachment }
            let attachment = make()
            content.attachments[type] = attachment
            return attachment
        }
    }

    /// The calls inside, `nil` before a ``Sequential`` knows its input.
    package final var graph: ModelGraph? { content.withLock { $0.graph } }

    /// The calls inside.
    ///
    /// - Throws: ``GraftError`` with code `state` before a ``Sequential`` knows its input.
    package final func requireGraph() throws(GraftError) -> ModelGraph {
        guard let graph else {
            throw GraftError(
                .state, "the model \(name) does not know the shape of its input; give `inputShape:` or an `InputLayer`")
        }
        return graph
    }

    /// Takes the calls as its own: names the layers, and gives the variables their places in the model.
    func adopt(_ graph: ModelGraph) throws(GraftError) {
        try LayerNaming.assign(to: graph.layers, in: name)
        content.withLock { $0.graph = graph }
        markBuilt(graph.inputs.map(\.shape))
        assignRandomStreams()
    }

    private func assignRandomStreams() {
        let seed = seed
        for (position, variable) in variables.enumerated() {
            variable.assignStream(InitializerStream(key: seed, stream: UInt64(position)))
        }
    }

    private func onlyTensor(_ tensors: [SymbolicTensor], _ kind: String) throws(GraftError) -> SymbolicTensor {
        guard let tensor = tensors.first, tensors.count == 1 else {
            throw GraftError(.state, "the model \(name) has \(tensors.count) \(kind)s; use `\(kind)s`")
        }
        return tensor
    }

    // MARK: As a layer

    package override var sublayers: [Layer] { layers }

    package override var takesList: Bool { inputs.count > 1 }

    package override func outputShapes(for inputShapes: [Shape]) throws(GraftError) -> [Shape] {
        let graph = try requireGraph()
        try checkInputCount(inputShapes.count, graph)
        guard inputShapes != graph.inputs.map(\.shape) else { return graph.outputs.map(\.shape) }
        var shapes = Dictionary(uniqueKeysWithValues: zip(graph.inputs, inputShapes))
        for call in graph.calls where !call.isInput {
            let results = try call.layer.outputShapes(
                for: call.inputs.map { shapes[$0] ?? $0.shape }, call.arguments)
            for (tensor, shape) in zip(call.outputs, results) { shapes[tensor] = shape }
        }
        return graph.outputs.map { shapes[$0] ?? $0.shape }
    }

    package override func elementType(ofOutput position: Int, inputs: [ElementType]) -> ElementType {
        graph?.outputs[position].dtype ?? .float32
    }

    /// The shape of the one result.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        try Self.only(outputShapes(for: inputShapes))
    }

    /// Lowers a model with one output.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try Self.only(lowerAll(inputs, in: &context))
    }

    package override func lowerAll(
        _ inputs: [ValueID], in context: inout LoweringContext
    ) throws(GraftError) -> [ValueID] {
        let graph = try requireGraph()
        try checkInputCount(inputs.count, graph)
        return try graph.lower(inputs, trainable: trainable, in: &context)
    }

    private func checkInputCount(_ count: Int, _ graph: ModelGraph) throws(GraftError) {
        guard count == graph.inputs.count else {
            throw GraftError(.argument, "the model \(name) takes \(graph.inputs.count) inputs; it was given \(count)")
        }
    }
}
