import GraftFormats

extension BERT {
    /// Where Hugging Face's models keep the layers' arrays.
    var layout: PyTorchLayout {
        let isDistilled = configuration.kind == .distilbert
        var layout = PyTorchLayout(
            package: "Hugging Face's \(configuration.kind.rawValue)",
            modules: embeddingModules.merging(isDistilled ? distilledModules : layerModules) { first, _ in first })
        layout.prefixes = ["bert.", "distilbert.", "roberta."]
        // What models for other tasks have on top, and positions that are 0, 1, 2, …
        layout.passedOver = [
            "cls.", "classifier.", "pre_classifier.", "qa_outputs.", "lm_head.", "vocab_transform.",
            "vocab_layer_norm.",
            "vocab_projector.", "embeddings.position_ids", "embeddings.token_type_ids",
        ]
        return layout
    }

    private var embeddingModules: [String: PyTorchModule] {
        var modules: [String: PyTorchModule] = [
            "word_embeddings": "embeddings.word_embeddings", "position_embeddings": "embeddings.position_embeddings",
            "token_type_embeddings": "embeddings.token_type_embeddings",
            Self.embeddingsName: Self.norm("embeddings.LayerNorm"),
        ]
        if configuration.kind != .distilbert { modules["pooler"] = "pooler.dense" }
        return modules
    }

    private var layerModules: [String: PyTorchModule] {
        var modules: [String: PyTorchModule] = [:]
        for number in 1...configuration.layerCount {
            let (ours, theirs) = ("layer\(number)", "encoder.layer.\(number - 1)")
            for part in ["query", "key", "value"] {
                modules["\(ours)_attention/\(part)"] = PyTorchModule("\(theirs).attention.self.\(part)")
            }
            modules["\(ours)_attention/attention_output"] = PyTorchModule("\(theirs).attention.output.dense")
            modules["\(ours)_attention_norm"] = Self.norm("\(theirs).attention.output.LayerNorm")
            modules["\(ours)_intermediate"] = PyTorchModule("\(theirs).intermediate.dense")
            modules["\(ours)_output"] = PyTorchModule("\(theirs).output.dense")
            modules[ours] = Self.norm("\(theirs).output.LayerNorm")
        }
        return modules
    }

    private var distilledModules: [String: PyTorchModule] {
        var modules: [String: PyTorchModule] = [:]
        for number in 1...configuration.layerCount {
            let (ours, theirs) = ("layer\(number)", "transformer.layer.\(number - 1)")
            for (part, module) in [("query", "q"), ("key", "k"), ("value", "v"), ("attention_output", "out")] {
                modules["\(ours)_attention/\(part)"] = PyTorchModule("\(theirs).attention.\(module)_lin")
            }
            modules["\(ours)_attention_norm"] = Self.norm("\(theirs).sa_layer_norm")
            modules["\(ours)_intermediate"] = PyTorchModule("\(theirs).ffn.lin1")
            modules["\(ours)_output"] = PyTorchModule("\(theirs).ffn.lin2")
            modules[ours] = Self.norm("\(theirs).output_layer_norm")
        }
        return modules
    }

    /// Weights of before 2020 have TensorFlow's names of a normalization's arrays.
    private static func norm(_ name: String) -> PyTorchModule {
        PyTorchModule(name).naming(["weight", "gamma"]).namingBias(["bias", "beta"])
    }
}
