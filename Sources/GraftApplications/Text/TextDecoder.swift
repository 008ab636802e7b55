import GraftFormats

/// A decoder of texts, which sees what came before alone: GPT-2 and Llama, of any size.
///
/// ```swift
/// var base = try TextDecoder(weights: "gpt2/model.safetensors")      // config.json lies beside it
/// base.length = 64
/// let network = try base.model()                                  // input_ids → (64, vocabulary): logits of the next token
/// ```
///
/// The input `input_ids`, `(length)` of int32; a text that is shorter ends in any ids, which nothing before them sees. The network
/// is made of Keras's own layers and functions, so that a saved model opens in Keras. Cuts are `embeddings`, `layer1`, … and `norm`,
/// each `(length, width)`. The output layer is one of its own, with the embedding's numbers where a file ties them.
///
/// Sources: Radford et al., Language Models are Unsupervised Multitask Learners, 2019; Touvron et al., LLaMA, arXiv:2302.13971;
/// transformers/models/gpt2/modeling_gpt2.py, …/llama/modeling_llama.py; karpathy/llama2.c.
public struct TextDecoder: Sendable {
    /// Its sizes.
    public let configuration: DecoderConfiguration
    /// The file of its weights; `nil` for random ones.
    public let path: String?
    /// The tokens of a text.
    public var length: Int

    /// A base with the weights of a file.
    ///
    /// - Parameters:
    ///   - path: a `.safetensors` with the names of Hugging Face, of minGPT or of Llama's own files.
    ///   - configuration: its `config.json`; that in the file's folder where `nil`.
    /// - Throws: `GraftError` with code `file` where the configuration is missing, as
    ///   ``DecoderConfiguration/init(contentsOf:)``.
    public init(weights path: String, configuration: String? = nil) throws(GraftError) {
        let beside = try PublishedConfiguration.path(beside: path, named: configuration)
        try self.init(DecoderConfiguration(contentsOf: beside), weights: path)
    }

    /// A base of these sizes.
    ///
    /// - Throws: `GraftError` with code `argument` where the heads do not divide the width.
    public init(_ configuration: DecoderConfiguration, weights path: String? = nil) throws(GraftError) {
        try configuration.checkHeads()
        (self.configuration, self.path) = (configuration, path)
        length = min(128, configuration.positionCount)
    }

    /// The layers at which it can be cut, from the input on.
    public var cuts: [String] { ["embeddings"] + (1...configuration.layerCount).map { "layer\($0)" } + ["norm"] }

    /// The network with its weights, from ids to the logits of each next token.
    ///
    /// - Parameter seed: What random weights are drawn from.
    /// - Throws: `GraftError` with code `argument` where the length does not fit; `file`, `format` or `weights` where the weights
    ///   cannot be had or do not fit; nothing is half loaded.
    public func model(seed: UInt64 = 0) throws(GraftError) -> Model {
        guard (1...configuration.positionCount).contains(length) else {
            throw GraftError(
                .argument, "length: texts of \(length) tokens; this base takes 1 to \(configuration.positionCount)")
        }
        let ids = Input(shape: [length], dtype: .int32, name: "input_ids")
        let parts = DecoderParts(configuration, length: length)
        let hidden = try configuration.kind == .gpt2 ? parts.gpt2(ids) : parts.llama(ids)
        let head = Dense(configuration.vocabularySize, useBias: false, name: "logits")
        let model = try Model(inputs: ids, outputs: head(hidden), name: configuration.kind.rawValue, seed: seed)
        if let path {
            let layers = model.layers.filter { !$0.variables.isEmpty && !$0.isPermanentlyFrozen }
            try PyTorchWeights.load(from: path, into: layers, layouts: layouts)
        }
        return model
    }
}
