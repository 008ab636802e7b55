import Foundation
import GraftFormats

/// The layers of a decoder, from ids to the last normalization.
struct DecoderParts {
    private let sizes: DecoderConfiguration
    private let length: Int

    init(_ sizes: DecoderConfiguration, length: Int) { (self.sizes, self.length) = (sizes, length) }

    private func words(_ ids: SymbolicTensor, name: String) throws(GraftError) -> SymbolicTensor {
        try Embedding(
            inputDim: sizes.vocabularySize, outputDim: sizes.width,
            embeddingsInitializer: .randomNormal(standardDeviation: 0.02), name: name)(ids)
    }

    /// 0, 1, 2, …: Keras's layers have no input but the model's, so that they are made of ids and a constant.
    private func positions(_ ids: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        let zeros = try OperationLayer.calling("Multiply", on: ids, constants: [0], name: "zeros")
        return try OperationLayer.calling(
            "Add", on: zeros, constants: [.numbers(from: 0, count: length, dtype: "int32")], name: "positions")
    }

    // MARK: GPT-2

    /// Attention and two dense layers, each normalized before and added to what went in.
    func gpt2(_ ids: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        let table = Embedding(
            inputDim: sizes.positionCount, outputDim: sizes.width,
            embeddingsInitializer: .randomNormal(standardDeviation: 0.02), name: "position_embeddings")
        var x = try Add(name: "embeddings")([words(ids, name: "word_embeddings"), table(positions(ids))])
        for number in 1...sizes.layerCount {
            let name = "layer\(number)"
            let attention = MultiHeadAttention(
                numHeads: sizes.headCount, keyDim: sizes.headWidth, name: "\(name)_attention")
            let normalized = try LayerNormalization(epsilon: sizes.epsilon, name: "\(name)_norm1")(x)
            x = try Add(name: "\(name)_attention_add")([x, attention(normalized, normalized, useCausalMask: true)])
            let output = try x.through(
                LayerNormalization(epsilon: sizes.epsilon, name: "\(name)_norm2"),
                Dense(sizes.innerWidth, activation: sizes.activation, name: "\(name)_dense1"),
                Dense(sizes.width, name: "\(name)_dense2"))
            x = try Add(name: name)([x, output])
        }
        return try LayerNormalization(epsilon: sizes.epsilon, name: "norm")(x)
    }

    // MARK: Llama

    /// The same with queries and keys that are turned by their positions, and a gated pair of dense layers.
    func llama(_ ids: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        var x = try words(ids, name: "embeddings")
        let places = try positions(ids)
        let turns = try (cosines: rotations(places, isSine: false), sines: rotations(places, isSine: true))
        let unseen = try later(places)
        for number in 1...sizes.layerCount {
            let name = "layer\(number)"
            let normalized = try RMSNormalization(epsilon: sizes.epsilon, name: "\(name)_norm1")(x)
            x = try Add(name: "\(name)_attention_add")([x, attention(name, normalized, turns, unseen)])
            let inner = try RMSNormalization(epsilon: sizes.epsilon, name: "\(name)_norm2")(x)
            let gate = Dense(sizes.innerWidth, activation: sizes.activation, useBias: false, name: "\(name)_gate")
            let up = Dense(sizes.innerWidth, useBias: false, name: "\(name)_up")
            let down = Dense(sizes.width, useBias: false, name: "\(name)_down")
            x = try Add(name: name)([x, down(Multiply(name: "\(name)_gated")([gate(inner), up(inner)]))])
        }
        return try RMSNormalization(epsilon: sizes.epsilon, name: "norm")(x)
    }

    /// softmax(q · kᵀ / √size) · v for each head; heads of keys and values serve several of the query's.
    private func attention(
        _ name: String, _ x: SymbolicTensor, _ turns: (cosines: SymbolicTensor, sines: SymbolicTensor),
        _ unseen: SymbolicTensor
    ) throws(GraftError) -> SymbolicTensor {
        let (heads, shared, size) = (sizes.headCount, sizes.keyValueHeadCount, sizes.headWidth)
        func projected(_ part: String, _ count: Int) throws(GraftError) -> SymbolicTensor {
            try x.through(
                Dense(count * size, useBias: false, name: "\(name)_\(part)"),
                Reshape([length, count, size], name: "\(name)_\(part)_heads"),
                Permute([2, 1, 3], name: "\(name)_\(part)_first"))
        }
        let query = try turned(projected("query", heads), turns, "\(name)_query")
        let key = try repeated(turned(projected("key", shared), turns, "\(name)_key"), "\(name)_key")
        let value = try repeated(projected("value", shared), "\(name)_value")
        let scores = try OperationLayer.calling(
            "Matmul", on: query, Permute([1, 3, 2], name: "\(name)_key_columns")(key), name: "\(name)_products")
        let scaled = try Rescaling(1 / Double(size).squareRoot(), name: "\(name)_scores")(scores)
        let weights = try Softmax(name: "\(name)_weights")(Add(name: "\(name)_causal")([scaled, unseen]))
        return try OperationLayer.calling("Matmul", on: weights, value, name: "\(name)_mixed").through(
            Permute([2, 1, 3], name: "\(name)_tokens"), Reshape([length, heads * size], name: "\(name)_joined"),
            Dense(sizes.width, useBias: false, name: "\(name)_attention"))
    }

    /// x · cos + (x with the numbers of each pair exchanged) · (−sin, sin).
    private func turned(
        _ x: SymbolicTensor, _ turns: (cosines: SymbolicTensor, sines: SymbolicTensor), _ name: String
    ) throws(GraftError) -> SymbolicTensor {
        let (count, size) = (x.shape[0], x.shape[2])
        let pairs = sizes.rotation == .halves ? [2, size / 2] : [size / 2, 2]
        let split = try Reshape([count, length] + pairs, name: "\(name)_pairs")(x)
        let all = [Configuration](repeating: .slice(), count: 3)
        let exchange: [Configuration] =
            sizes.rotation == .halves ? all + [.slice(step: -1)] : all + [.slice(), .slice(step: -1)]
        let other = try Reshape([count, length, size], name: "\(name)_exchanged")(
            OperationLayer.calling("GetItem", on: split, constants: [.array(exchange)], name: "\(name)_exchange"))
        return try Add(name: "\(name)_turned")([
            Multiply(name: "\(name)_cosines")([x, turns.cosines]),
            Multiply(name: "\(name)_sines")([other, turns.sines]),
        ])
    }

    /// Each head of keys or values as often as heads of the query share it.
    private func repeated(_ x: SymbolicTensor, _ name: String) throws(GraftError) -> SymbolicTensor {
        let times = sizes.headCount / sizes.keyValueHeadCount
        guard times > 1 else { return x }
        let (count, size) = (x.shape[0], x.shape[2])
        let apart = try Reshape([count, 1, length, size], name: "\(name)_apart")(x)
        let copies = try Concatenate(axis: 2, name: "\(name)_copies")([SymbolicTensor](repeating: apart, count: times))
        return try Reshape([count * times, length, size], name: "\(name)_repeated")(copies)
    }

    /// The cosines or sines of positions, as a table of constants: (1, length, size).
    private func rotations(_ places: SymbolicTensor, isSine: Bool) throws(GraftError) -> SymbolicTensor {
        let size = sizes.headWidth
        let name = isSine ? "rotary_sines" : "rotary_cosines"
        let table = Embedding(inputDim: sizes.positionCount, outputDim: size, embeddingsInitializer: .zeros, name: name)
        let rows = try table(places)
        var values: [Float] = []
        values.reserveCapacity(sizes.positionCount * size)
        for position in 0..<sizes.positionCount {
            for number in 0..<size {
                let isFirst = sizes.rotation == .halves ? number < size / 2 : number.isMultiple(of: 2)
                let pair = sizes.rotation == .halves ? number % (size / 2) : number / 2
                let angle = Double(position) * pow(sizes.rotationBase, -2 * Double(pair) / Double(size))
                values.append(Float(isSine ? (isFirst ? -sin(angle) : sin(angle)) : cos(angle)))
            }
        }
        try table.setWeights([Tensor(values, shape: [sizes.positionCount, size])])
        table.freezePermanently()
        return try Reshape([1, length, size], name: "\(name)_rows")(rows)
    }

    /// 0 where a position sees another one, and −1e9 where that comes later: (1, length, length).
    private func later(_ places: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        let distance = try Subtract(name: "distances")([
            Reshape([length, 1], name: "rows")(places), Reshape([1, length], name: "columns")(places),
        ])
        let isLater = try OperationLayer.calling(
            "Clip", on: distance, settings: ["x_min": -1, "x_max": 0], name: "is_later")
        let scores = try OperationLayer.calling("Multiply", on: isLater, constants: [1e9], name: "later_scores")
        return try Reshape([1, length, length], name: "later")(scores)
    }
}
