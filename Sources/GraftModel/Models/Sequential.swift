import Synchronization

/// A stack of layers, each with one input and one output.
///
/// The shape of the input comes from `inputShape:`, from an ``InputLayer`` or a model at the bottom, or from the first
/// tensor that the stack is called on. ``layers`` leaves an input layer out, as in Keras.
///
/// Source: keras/src/models/sequential.py.
public final class Sequential: Model, @unchecked Sendable {  // what changes is guarded by `stack`
    /// Keras's name.
    public override class var className: String { "Sequential" }

    private let stack: Mutex<[Layer]>

    /// A stack of these layers, the first one at the bottom.
    ///
    /// - Throws: ``GraftError`` where a layer cannot take the output of the one before it, or two share a name.
    public init(
        _ layers: [Layer], inputShape: Shape? = nil, name: String? = nil, trainable: Bool = true, seed: UInt64 = 0
    ) throws(GraftError) {
        let input = inputShape.map { [InputLayer(shape: $0)] } ?? []
        stack = Mutex(input + layers)
        super.init(unbuiltWithName: name, trainable: trainable, seed: seed)
        try arrange()
    }

    /// The layers, first to last, without an input layer at the bottom.
    public override var layers: [Layer] { allLayers.filter { !($0 is InputLayer) } }

    /// The layers, with an input layer where there is one.
    package var allLayers: [Layer] { stack.withLock { $0 } }

    package override var sublayers: [Layer] { allLayers }

    /// Puts another layer on top.
    ///
    /// - Throws: ``GraftError`` where it cannot take the output of the one below, or shares a name.
    public func add(_ layer: Layer) throws(GraftError) {
        stack.withLock { $0.append(layer) }
        try arrange()
    }

    /// Connects the layers for an input of this shape.
    public override func build(inputShapes: [Shape]) throws(GraftError) {
        guard graph == nil else { return }
        let shape = try Self.only(inputShapes)
        stack.withLock { layers in
            if !(layers.first is InputLayer) { layers.insert(InputLayer(shape: shape), at: 0) }
        }
        try connect()
    }

    private func arrange() throws(GraftError) {
        let layers = allLayers
        guard layers.dropFirst().allSatisfy({ !($0 is InputLayer) }) else {
            throw GraftError(.argument, "an input layer can only be the first of the model \(name)")
        }
        try LayerNaming.assign(to: layers, in: name)
        if layers.first is InputLayer {
            try connect()
        } else if let model = layers.first as? Model, model.inputs.count == 1 {
            try build(inputShapes: model.inputs.map(\.shape))
        }
    }

    private func connect() throws(GraftError) {
        let layers = allLayers
        guard let input = layers.first as? InputLayer else { return }
        try input.checkArguments()
        var tensor = input.tensor()
        for layer in layers.dropFirst() { tensor = try layer(tensor) }
        try adopt(ModelGraph(inputs: [input.tensor()], outputs: [tensor]))
    }
}
