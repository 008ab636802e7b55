import GraftFormats

/// The sizes of an encoder of texts, as Hugging Face's `config.json` says them.
///
/// | | BERT | DistilBERT |
/// |---|---|---|
/// | width | `hidden_size` | `dim` |
/// | layers | `num_hidden_layers` | `n_layers` |
/// | heads | `num_attention_heads` | `n_heads` |
/// | inner width | `intermediate_size` | `hidden_dim` |
/// | activation | `hidden_act` | `activation` |
///
/// Source: transformers/models/bert/configuration_bert.py, …/distilbert/configuration_distilbert.py, …/roberta.
public struct BERTConfiguration: Hashable, Sendable {
    /// Networks that differ in little: whether texts have types, where positions begin, and the names of weights.
    public enum Kind: String, Sendable, CaseIterable {
        /// BERT: two types of texts, for pairs.
        case bert
        /// DistilBERT: no types.
        case distilbert
        /// RoBERTa: one type, and positions from 2 on.
        case roberta
    }

    /// Which network it is.
    public var kind = Kind.bert
    /// How many ids have a vector.
    public var vocabularySize: Int
    /// The numbers of a token's vector.
    public var width: Int
    /// How many layers there are.
    public var layerCount: Int
    /// The heads of a layer's attention.
    public var headCount: Int
    /// The numbers between the two dense layers of a layer.
    public var innerWidth: Int
    /// How many positions have a vector.
    public var positionCount = 512
    /// How many types of texts there are: 2 where pairs are told apart; 0 for DistilBERT.
    public var typeCount = 2
    /// The id that fills up a shorter text.
    public var paddingID = 0
    /// What normalizations add to the variance.
    public var epsilon = 1e-12
    /// What is applied between the two dense layers.
    public var activation = ActivationFunction.gelu
    /// The share of numbers that fine-tuning drops behind embeddings and layers, where it drops any.
    public var dropout = 0.1
    /// The share of attention's weights that it drops then.
    public var attentionDropout = 0.1

    /// An encoder of these sizes; what is not said is BERT's.
    public init(vocabularySize: Int, width: Int, layerCount: Int, headCount: Int, innerWidth: Int) {
        (self.vocabularySize, self.width, self.layerCount) = (vocabularySize, width, layerCount)
        (self.headCount, self.innerWidth) = (headCount, innerWidth)
    }

    /// The first position that a text has: RoBERTa's come behind that of padding.
    var firstPosition: Int { kind == .roberta ? paddingID + 1 : 0 }

    /// The longest text, in tokens.
    public var maximumLength: Int { positionCount - firstPosition }
}

// MARK: As a file has it

extension BERTConfiguration {
    /// The configuration in a file, Hugging Face's `config.json`.
    ///
    /// - Throws: `GraftError` with code `file` where it cannot be read, `format` where it is of another network or lacks a size.
    public init(contentsOf path: String) throws(GraftError) {
        do throws(GraftError) {
            try self.init(Configuration(json: FileBytes.read(path, limit: Self.byteLimit)))
        } catch {
            throw error.inside(path)
        }
    }

    /// Such files have a few hundred bytes, and a few thousand where they list labels.
    private static let byteLimit = 1 << 22

    /// The configuration that a file's object says.
    init(_ members: Configuration) throws(GraftError) {
        let type = members["model_type"]?.text ?? "none"
        switch type {
        case "bert": kind = .bert
        case "distilbert": kind = .distilbert
        case "roberta", "xlm-roberta", "camembert": kind = .roberta
        default:
            throw GraftError(
                .format,
                "the model_type is \(type.prefix(60)); Graft reads encoders of the types bert, distilbert, roberta, xlm-roberta "
                    + "and camembert")
        }
        let isDistilled = kind == .distilbert
        func size(_ key: String, default fallback: Int? = nil, in range: ClosedRange<Int>) throws(GraftError) -> Int {
            guard let value = members[key]?.integer ?? fallback, range.contains(value) else {
                let found = members[key].map { "is \($0.brief)" } ?? "is missing"
                throw GraftError(
                    .format,
                    "\(key) must be a whole number from \(range.lowerBound) to \(range.upperBound); it \(found)")
            }
            return value
        }
        vocabularySize = try size("vocab_size", in: 1...(1 << 24))
        width = try size(isDistilled ? "dim" : "hidden_size", in: 1...(1 << 16))
        layerCount = try size(isDistilled ? "n_layers" : "num_hidden_layers", in: 1...1024)
        headCount = try size(isDistilled ? "n_heads" : "num_attention_heads", in: 1...1024)
        innerWidth = try size(isDistilled ? "hidden_dim" : "intermediate_size", in: 1...(1 << 20))
        positionCount = try size("max_position_embeddings", default: 512, in: 3...(1 << 20))
        typeCount = isDistilled ? 0 : try size("type_vocab_size", default: 2, in: 1...1024)
        paddingID = try size(
            "pad_token_id", default: kind == .roberta ? 1 : 0, in: 0...min(vocabularySize - 1, 1 << 16))
        epsilon = members["layer_norm_eps"]?.number ?? 1e-12
        activation = try Self.activation(members[isDistilled ? "activation" : "hidden_act"])
        dropout = try Self.share(members, isDistilled ? "dropout" : "hidden_dropout_prob")
        attentionDropout = try Self.share(members, isDistilled ? "attention_dropout" : "attention_probs_dropout_prob")
        try check(members)
    }

    /// What would make another network of it.
    private func check(_ members: Configuration) throws(GraftError) {
        if let positions = members["position_embedding_type"]?.text, positions != "absolute" {
            throw GraftError(
                .format, "position_embedding_type is \(positions.prefix(60)); Graft knows absolute positions alone")
        }
        if members["is_decoder"]?.flag == true || members["sinusoidal_pos_embds"]?.flag == true {
            throw GraftError(
                .format, "it is a decoder, or has positions that are not learned; Graft reads neither here")
        }
        guard maximumLength > 0 else {
            throw GraftError(.format, "max_position_embeddings \(positionCount) leave no position for a token")
        }
        guard epsilon.isFinite, epsilon >= 0 else {
            throw GraftError(.format, "layer_norm_eps must be a number of at least 0")
        }
        try checkHeads()
    }

    /// Heads share a token's numbers equally.
    func checkHeads() throws(GraftError) {
        guard headCount > 0, width.isMultiple(of: headCount) else {
            throw GraftError(
                .argument,
                "the width \(width) cannot be divided among \(headCount) heads; it must be a multiple of them")
        }
    }

    private static func activation(_ value: Configuration?) throws(GraftError) -> ActivationFunction {
        switch value?.text ?? "gelu" {
        case "gelu": return .gelu
        case "gelu_new", "gelu_fast", "gelu_pytorch_tanh": return .geluTanh
        case "relu": return .relu
        case "silu", "swish": return .silu
        default:
            throw GraftError(
                .format,
                "the activation is \(value?.brief ?? ""); Graft knows gelu, gelu_new, gelu_fast, gelu_pytorch_tanh, relu and "
                    + "silu there")
        }
    }

    private static func share(_ members: Configuration, _ key: String) throws(GraftError) -> Double {
        let share = members[key]?.number ?? 0.1
        guard (0...1).contains(share) else {
            throw GraftError(.format, "\(key) must be from 0 to 1; it is \(share)")
        }
        return share
    }
}
