import GraftFormats

extension BERT {
    /// The network with its weights, from ids to a vector for each token: its one output is ``defaultCut``.
    ///
    /// - Parameter seed: What random weights are drawn from.
    /// - Throws: `GraftError` with code `argument` where the length or the pairs do not fit the sizes; `file`, `format` or `weights`
    ///   where the weights cannot be had or do not fit; nothing is half loaded.
    public func model(seed: UInt64 = 0) throws(GraftError) -> Model {
        guard (1...configuration.maximumLength).contains(length) else {
            throw GraftError(
                .argument,
                "length: texts of \(length) tokens; this base takes 1 to \(configuration.maximumLength), the positions that it "
                    + "learned")
        }
        guard !hasPairs || configuration.typeCount > 1 else {
            throw GraftError(
                .argument,
                "pairs: a \(configuration.kind.rawValue) does not tell two texts of a pair apart; it has one type")
        }
        let inputs = inputNames.map { Input(shape: [length], dtype: .int32, name: $0) }
        let mask = try Reshape([1, length], name: "attention_rows")(inputs[1])
        var hidden = try embeddings(inputs)
        for number in 1...configuration.layerCount { hidden = try layer("layer\(number)", hidden, mask) }
        let model = try Model(inputs: inputs, outputs: hidden, name: configuration.kind.rawValue, seed: seed)
        if let path { try PyTorchWeights.load(from: path, into: weighted(model), layout: layout) }
        return model
    }

    /// What the network puts out at a cut, pooled.
    ///
    /// - Throws: `GraftError` with code `argument` where no layer is called so, naming those that are nearest; `weights` where a
    ///   pooler is asked for and the file has none.
    public func features(at cut: String, of network: Model) throws(GraftError) -> SymbolicTensor {
        let tokens = try network.output(ofLayer: cut)
        switch pooling {
        case .none: return tokens
        case .mean:
            guard let mask = network.inputs.first(where: { $0.layer.name == "attention_mask" }) else {
                throw GraftError(
                    .argument, "the model \(network.name) has no input attention_mask; it is no text encoder")
            }
            return try GlobalAveragePooling1D(name: "mean")(tokens, mask: mask)
        case .first: return try first(tokens)
        case .pooler:
            guard configuration.kind != .distilbert else {
                throw GraftError(.argument, "a distilbert has no pooler; take the mean or the first token")
            }
            let pooler = Dense(configuration.width, activation: .tanh, name: "pooler")
            let pooled = try pooler(first(tokens))
            if let path { try PyTorchWeights.load(from: path, into: [pooler], layout: layout) }
            pooler.trainable = network.trainable
            return pooled
        }
    }

    private func first(_ tokens: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        try OperationLayer.calling("GetItem", on: tokens, constants: [[.slice(), 0]], name: "first")
    }

    // MARK: Layers

    /// The sum of the vectors of words, types and positions, normalized.
    private func embeddings(_ inputs: [SymbolicTensor]) throws(GraftError) -> SymbolicTensor {
        let (ids, width) = (inputs[0], configuration.width)
        // Keras's layers have no input but the model's: positions are zeros made of ids, and a constant.
        let zeros = try OperationLayer.calling("Multiply", on: ids, constants: [0], name: "zeros")
        let first = configuration.firstPosition
        let places = try OperationLayer.calling(
            "Add", on: zeros, constants: [.numbers(from: first, count: length, dtype: "int32")], name: "positions")
        func table(_ rows: Int, _ name: String, _ ids: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
            let initial = Initializer.truncatedNormal(standardDeviation: 0.02)
            return try Embedding(inputDim: rows, outputDim: width, embeddingsInitializer: initial, name: name)(ids)
        }
        var vectors = [try table(configuration.vocabularySize, "word_embeddings", ids)]
        if configuration.typeCount > 0 {
            let types = hasPairs ? inputs[2] : zeros
            vectors.append(try table(configuration.typeCount, "token_type_embeddings", types))
        }
        vectors.append(try table(configuration.positionCount, "position_embeddings", places))
        let sum = try Add(name: "embeddings_add")(vectors)
        return try dropped(
            LayerNormalization(epsilon: configuration.epsilon, name: Self.embeddingsName)(sum), "embeddings_dropout")
    }

    /// Attention and two dense layers, each with what went in added and the sum normalized.
    private func layer(
        _ name: String, _ input: SymbolicTensor, _ mask: SymbolicTensor
    ) throws(GraftError) -> SymbolicTensor {
        let sizes = configuration
        func added(_ output: SymbolicTensor, _ input: SymbolicTensor, _ part: String, norm: String) throws(GraftError)
            -> SymbolicTensor
        {
            let sum = try Add(name: "\(name)_\(part)_add")([dropped(output, "\(name)_\(part)_dropout"), input])
            return try LayerNormalization(epsilon: sizes.epsilon, name: norm)(sum)
        }
        let attention = MultiHeadAttention(
            numHeads: sizes.headCount, keyDim: sizes.width / sizes.headCount,
            dropout: usesDropout ? sizes.attentionDropout : 0, kernelInitializer: Self.initializer,
            name: "\(name)_attention")
        let attended = try added(
            attention(input, input, attentionMask: mask), input, "attention", norm: "\(name)_attention_norm")
        let inner = Dense(
            sizes.innerWidth, activation: sizes.activation, kernelInitializer: Self.initializer,
            name: "\(name)_intermediate")
        let outer = Dense(sizes.width, kernelInitializer: Self.initializer, name: "\(name)_output")
        return try added(outer(inner(attended)), attended, "output", norm: name)
    }

    /// Where nothing is loaded: normal with BERT's deviation, cut.
    private static let initializer = Initializer.truncatedNormal(standardDeviation: 0.02)

    private func dropped(_ input: SymbolicTensor, _ name: String) throws(GraftError) -> SymbolicTensor {
        usesDropout ? try Dropout(configuration.dropout, name: name)(input) : input
    }

    private func weighted(_ model: Model) -> [Layer] { model.layers.filter { !$0.variables.isEmpty } }
}
