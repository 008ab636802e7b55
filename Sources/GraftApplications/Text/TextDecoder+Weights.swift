import GraftFormats

extension TextDecoder {
    /// Where files keep the layers' arrays.
    var layouts: [PyTorchLayout] {
        configuration.kind == .gpt2
            ? [gpt2Layout("Hugging Face's gpt2", turned: true), gpt2Layout("minGPT", turned: false)]
            : [huggingFaceLayout, ownLayout]
    }

    /// The modules of each layer, `#` for its number from 0 on, beside those of the whole.
    private func layout(
        _ package: String, _ whole: [String: PyTorchModule], layer: [String: PyTorchModule], passedOver: [String] = []
    ) -> PyTorchLayout {
        var modules = whole
        for number in 1...configuration.layerCount {
            for (part, module) in layer {
                modules["layer\(number)_\(part)"] = module.renamed(
                    module.name.replacing("#", with: "\(number - 1)"))
            }
        }
        var layout = PyTorchLayout(package: package, modules: modules)
        layout.prefixes = ["transformer.", "model."]
        layout.passedOver =
            passedOver
            + (0..<configuration.layerCount).flatMap { number in
                ["h.\(number).attn.bias", "h.\(number).attn.masked_bias", "layers.\(number).self_attn.rotary_emb."]
            }
        return layout
    }

    /// Hugging Face's GPT-2 has matrices (in, out), minGPT has PyTorch's.
    private func gpt2Layout(_ package: String, turned: Bool) -> PyTorchLayout {
        func module(_ name: String) -> PyTorchModule { turned ? PyTorchModule(name).turned : PyTorchModule(name) }
        let attention = module("h.#.attn.c_attn")
        return layout(
            package,
            [
                "word_embeddings": "wte", "position_embeddings": "wpe", "norm": "ln_f",
                "logits": PyTorchModule("lm_head").orElse("wte"),
            ],
            layer: [
                "norm1": "h.#.ln_1", "attention/query": attention.part(0, of: 3),
                "attention/key": attention.part(1, of: 3), "attention/value": attention.part(2, of: 3),
                "attention/attention_output": module("h.#.attn.c_proj"), "norm2": "h.#.ln_2",
                "dense1": module("h.#.mlp.c_fc"), "dense2": module("h.#.mlp.c_proj"),
            ])
    }

    private var huggingFaceLayout: PyTorchLayout {
        layout(
            "Hugging Face's llama",
            [
                "embeddings": "embed_tokens", "norm": "norm", "logits": PyTorchModule("lm_head").orElse("embed_tokens"),
            ],
            layer: [
                "norm1": "layers.#.input_layernorm", "query": "layers.#.self_attn.q_proj",
                "key": "layers.#.self_attn.k_proj", "value": "layers.#.self_attn.v_proj",
                "attention": "layers.#.self_attn.o_proj", "norm2": "layers.#.post_attention_layernorm",
                "gate": "layers.#.mlp.gate_proj", "up": "layers.#.mlp.up_proj", "down": "layers.#.mlp.down_proj",
            ])
    }

    private var ownLayout: PyTorchLayout {
        layout(
            "Llama's own files",
            [
                "embeddings": "tok_embeddings", "norm": "norm",
                "logits": PyTorchModule("output").orElse("tok_embeddings"),
            ],
            layer: [
                "norm1": "layers.#.attention_norm", "query": "layers.#.attention.wq", "key": "layers.#.attention.wk",
                "value": "layers.#.attention.wv", "attention": "layers.#.attention.wo", "norm2": "layers.#.ffn_norm",
                "gate": "layers.#.feed_forward.w1", "up": "layers.#.feed_forward.w3",
                "down": "layers.#.feed_forward.w2",
            ])
    }
}
