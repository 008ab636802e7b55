import GraftFormats

/// The sizes of a decoder of texts, as Hugging Face's `config.json` says them: of GPT-2's kind, or of Llama's.
///
/// Source: transformers/models/gpt2/configuration_gpt2.py, …/llama/configuration_llama.py.
public struct DecoderConfiguration: Hashable, Sendable {
    /// Which network it is.
    public enum Kind: String, Sendable, CaseIterable {
        /// GPT-2: learned positions, layer normalization, two dense layers.
        case gpt2
        /// Llama: rotated queries and keys, root mean square normalization, a gated pair of dense layers.
        case llama
    }

    /// Which numbers of a head are turned together by a position.
    public enum Rotation: Sendable, Hashable {
        /// Number i and number i + half, as in Hugging Face's files.
        case halves
        /// Neighbours, as in Llama's own files.
        case neighbours
    }

    /// Which network it is.
    public var kind: Kind
    /// How many ids have a vector.
    public var vocabularySize: Int
    /// The numbers of a token's vector.
    public var width: Int
    /// How many layers there are.
    public var layerCount: Int
    /// The heads of a layer's attention.
    public var headCount: Int
    /// The heads that keys and values have; each serves several of the query's where there are fewer.
    public var keyValueHeadCount: Int
    /// The numbers between the two dense layers of a layer.
    public var innerWidth: Int
    /// The longest text, in tokens.
    public var positionCount: Int
    /// What normalizations add to the variance, or to the mean square.
    public var epsilon = 1e-5
    /// What is applied between GPT-2's dense layers, and to the gate of Llama's.
    public var activation: ActivationFunction
    /// The base of the rotations' wavelengths.
    public var rotationBase = 10_000.0
    /// Which numbers are turned together.
    public var rotation = Rotation.halves

    /// A decoder of these sizes; what is not said is GPT-2's or Llama's.
    public init(
        _ kind: Kind, vocabularySize: Int, width: Int, layerCount: Int, headCount: Int, keyValueHeadCount: Int? = nil,
        innerWidth: Int? = nil, positionCount: Int
    ) {
        (self.kind, self.vocabularySize, self.width, self.layerCount) = (kind, vocabularySize, width, layerCount)
        (self.headCount, self.keyValueHeadCount) = (headCount, keyValueHeadCount ?? headCount)
        (self.innerWidth, self.positionCount) = (innerWidth ?? 4 * width, positionCount)
        activation = kind == .gpt2 ? .geluTanh : .silu
    }

    /// The numbers of a head.
    var headWidth: Int { width / max(headCount, 1) }

    /// Heads share a token's numbers equally.
    func checkHeads() throws(GraftError) {
        guard headCount > 0, width.isMultiple(of: headCount), keyValueHeadCount > 0,
            headCount.isMultiple(of: keyValueHeadCount)
        else {
            throw GraftError(
                .argument,
                "the width \(width) cannot be divided among \(headCount) heads, or these among \(keyValueHeadCount) heads of keys "
                    + "and values")
        }
        guard kind == .gpt2 || headWidth.isMultiple(of: 2) else {
            throw GraftError(.argument, "heads of \(headWidth) numbers cannot be turned in pairs")
        }
    }
}

// MARK: As a file has it

extension DecoderConfiguration {
    /// The configuration in a file, Hugging Face's `config.json`.
    ///
    /// - Throws: `GraftError` with code `file` where it cannot be read, `format` where it is of another network or lacks a size.
    public init(contentsOf path: String) throws(GraftError) {
        do throws(GraftError) {
            try self.init(Configuration(json: FileBytes.read(path, limit: 1 << 22)))
        } catch {
            throw error.inside(path)
        }
    }

    /// The configuration that a file's object says.
    init(_ members: Configuration) throws(GraftError) {
        let type = members["model_type"]?.text ?? "none"
        guard let kind = Kind(rawValue: type) else {
            throw GraftError(
                .format, "the model_type is \(type.prefix(60)); Graft reads decoders of the types gpt2 and llama")
        }
        func size(_ gpt2: String, _ llama: String, default fallback: Int? = nil, limit: Int) throws(GraftError) -> Int {
            let key = kind == .gpt2 ? gpt2 : llama
            guard let value = members[key]?.integer ?? fallback, (1...limit).contains(value) else {
                let found = members[key].map { "is \($0.brief)" } ?? "is missing"
                throw GraftError(.format, "\(key) must be a whole number from 1 to \(limit); it \(found)")
            }
            return value
        }
        let width = try size("n_embd", "hidden_size", limit: 1 << 16)
        let heads = try size("n_head", "num_attention_heads", limit: 1024)
        self.init(
            kind, vocabularySize: try size("vocab_size", "vocab_size", limit: 1 << 24), width: width,
            layerCount: try size("n_layer", "num_hidden_layers", limit: 1024), headCount: heads,
            keyValueHeadCount: try size("n_head", "num_key_value_heads", default: heads, limit: 1024),
            innerWidth: try size("n_inner", "intermediate_size", default: 4 * width, limit: 1 << 20),
            positionCount: try size("n_positions", "max_position_embeddings", limit: 1 << 20))
        epsilon =
            members[kind == .gpt2 ? "layer_norm_epsilon" : "rms_norm_eps"]?.number ?? (kind == .gpt2 ? 1e-5 : 1e-6)
        let rotations = members["rope_parameters"] ?? members["rope_scaling"]
        rotationBase = (members["rope_theta"] ?? rotations?["rope_theta"])?.number ?? 10_000
        try check(members, rotations)
    }

    /// What would make another network of it.
    private func check(_ members: Configuration, _ rotations: Configuration?) throws(GraftError) {
        let (activationKey, usual) = kind == .gpt2 ? ("activation_function", "gelu_new") : ("hidden_act", "silu")
        if let name = members[activationKey]?.text, name != usual {
            throw GraftError(.format, "\(activationKey) is \(name.prefix(60)); Graft knows \(usual) there")
        }
        if let type = (rotations?["rope_type"] ?? rotations?["type"])?.text, type != "default" {
            throw GraftError(.format, "rope_type is \(type.prefix(60)); Graft knows plain rotations alone")
        }
        for key in ["attention_bias", "mlp_bias", "scale_attn_by_inverse_layer_idx"] where members[key]?.flag == true {
            throw GraftError(.format, "\(key) is true; Graft knows false there")
        }
        if let width = members["head_dim"]?.integer, width != headWidth {
            throw GraftError(.format, "head_dim is \(width); Graft knows the width divided by the heads, \(headWidth)")
        }
        guard epsilon.isFinite, epsilon >= 0, rotationBase.isFinite, rotationBase > 0 else {
            throw GraftError(
                .format, "the epsilon of normalizations and the base of rotations must be positive numbers")
        }
        try checkHeads()
    }
}
