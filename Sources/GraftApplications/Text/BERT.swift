import GraftFormats

/// An encoder of texts: BERT of any size, MiniLM and the other sentence encoders that are BERTs, DistilBERT, RoBERTa.
///
/// ```swift
/// var base = try BERT(weights: "minilm/model.safetensors")       // config.json lies beside it
/// base.length = 64
/// let network = try base.model()                                  // input_ids, attention_mask → (64, 384)
/// network.freeze()
/// let features = try base.features(at: "layer6", of: network)    // (384): the mean over a text's tokens
/// let model = try Model(inputs: network.inputs, outputs: Dense(77, activation: .softmax)(features))
/// ```
///
/// Texts are ids of tokens, all of one length: what is shorter ends in padding. Inputs, of int32, each `(length)`:
///
/// | input | |
/// |---|---|
/// | `input_ids` | the ids |
/// | `attention_mask` | 1 for tokens, 0 for padding |
/// | `token_type_ids` | where ``hasPairs``: 0 for the first text, 1 for the second; else all texts are of type 0 |
///
/// The network is made of Keras's own layers, so that a saved model opens in Keras. Cuts are `embeddings` and `layer1`, `layer2`, …:
/// what comes out of the normalization that ends each. To train a layer whole, fine-tune from its attention: `layer4_attention`.
///
/// Sources: Devlin et al., BERT, arXiv:1810.04805; transformers/models/bert/modeling_bert.py.
public struct BERT: Sendable {
    /// Its sizes.
    public let configuration: BERTConfiguration
    /// The file of its weights; `nil` for random ones.
    public let path: String?
    /// The tokens of a text, padding included.
    public var length: Int
    /// Whether texts come in pairs, which the third input tells apart.
    public var hasPairs = false
    /// What ``features(at:of:)`` makes of a text's tokens.
    public var pooling = TextPooling.mean
    /// Whether fine-tuning drops numbers, by the shares of the configuration. A frozen base with it would have no features that
    /// stay, as every step would draw anew.
    public var usesDropout = false

    /// The length where nothing is said: sentences, and not a long text's memory.
    private static let usualLength = 128

    /// A base with the weights of a file.
    ///
    /// - Parameters:
    ///   - path: a `.safetensors` with Hugging Face's names, of floats of 16 or 32 bits or bfloat16; with or without what other
    ///     models have on top.
    ///   - configuration: its `config.json`; that in the file's folder where `nil`.
    /// - Throws: `GraftError` with code `file` where the configuration is missing, as ``BERTConfiguration/init(contentsOf:)``.
    public init(weights path: String, configuration: String? = nil) throws(GraftError) {
        let beside = try PublishedConfiguration.path(beside: path, named: configuration)
        try self.init(BERTConfiguration(contentsOf: beside), weights: path)
    }

    /// A base of these sizes.
    ///
    /// - Throws: `GraftError` with code `argument` where the width is no multiple of the heads.
    public init(_ configuration: BERTConfiguration, weights path: String? = nil) throws(GraftError) {
        try configuration.checkHeads()
        (self.configuration, self.path) = (configuration, path)
        length = min(Self.usualLength, configuration.maximumLength)
    }

    /// The names of its inputs, in order.
    public var inputNames: [String] { ["input_ids", "attention_mask"] + (hasPairs ? ["token_type_ids"] : []) }

    /// The layers at which it can be cut, from the input on.
    public var cuts: [String] { [Self.embeddingsName] + (1...configuration.layerCount).map { "layer\($0)" } }

    /// The last layer.
    public var defaultCut: String { "layer\(configuration.layerCount)" }

    static let embeddingsName = "embeddings"
}

/// What becomes of the vectors of a text's tokens.
public enum TextPooling: String, Sendable, Hashable, CaseIterable {
    /// Nothing: each token keeps its own, `(length, width)`.
    case none
    /// The mean over all tokens but padding, as sentence encoders have it.
    case mean
    /// The vector of the first token, `[CLS]`.
    case first
    /// BERT's pooler on the first token, a dense layer and tanh, as its own classifiers have it.
    case pooler
}
