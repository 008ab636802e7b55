/// Brings the configurations of Keras 2 (and `tf_keras`) into Keras 3's form, so that one reader knows both.
///
/// What differs: calls are lists of histories, not objects; the calls of models inside are counted from 1; input shapes stand
/// at layers; arithmetic is a `TFOpLambda` with a function of TensorFlow's; some layers have arguments that mean nothing.
///
/// Source: tf_keras/src/engine/functional.py, `get_network_config` and `process_node`; layers/core/tf_op_layer.py.
struct KerasTwoForm {
    /// The name of the layer that is looked at, for messages.
    static let models: Set<String> = ["Functional", "Model", "Sequential"]

    /// Whether a configuration is of Keras 2: no other has shapes under this name.
    static func isForm(of serialized: Configuration) -> Bool { mentions("batch_input_shape", serialized) }

    private static func mentions(_ key: String, _ value: Configuration) -> Bool {
        if let members = value.members {
            return members[key] != nil || members.values.contains { mentions(key, $0) }
        }
        return value.elements?.contains { mentions(key, $0) } ?? false
    }

    // MARK: Layers

    /// A layer or model in Keras 3's form.
    func translated(_ serialized: Configuration) throws(GraftError) -> Configuration {
        guard var members = serialized.members, let className = members["class_name"]?.text else { return serialized }
        if Self.models.contains(className) {
            members["config"] = try model(className, members["config"] ?? .null)
        } else if var config = members["config"]?.members {
            if let inner = config["layer"] { config["layer"] = try translated(inner) }
            try Self.change(&config, of: className)
            members["config"] = .object(config)
        }
        return .object(members)
    }

    private func model(_ className: String, _ config: Configuration) throws(GraftError) -> Configuration {
        // The first versions wrote a sequential model's layers alone.
        var members = config.members ?? ["name": "sequential", "layers": config]
        var layers: [Configuration] = []
        for layer in members["layers"]?.elements ?? [] { layers.append(try translated(layer)) }
        if className == "Sequential" {
            let first = members["layers"]?.elements?.first
            if let shape = first?["config"]?["batch_input_shape"], first?["class_name"]?.text != "InputLayer",
                first.map({ !Self.models.contains($0["class_name"]?.text ?? "") }) ?? false
            {
                let input: Configuration = ["class_name": "InputLayer", "config": ["batch_shape": shape]]
                layers.insert(input, at: 0)
            }
        } else {
            let calls = KerasTwoCalls(layers, members)
            layers = try calls.translated()
            for key in ["input_layers", "output_layers"] { members[key] = try calls.boundary(members[key] ?? .null) }
        }
        members["layers"] = .array(layers)
        return .object(members)
    }

    /// Arguments that Keras 3 does not have, or has in another form.
    private static func change(_ config: inout [String: Configuration], of className: String) throws(GraftError) {
        if className == "InputLayer", let shape = config["batch_input_shape"] { config["batch_shape"] = shape }
        for key in ["batch_input_shape", "rng_type"] { config[key] = nil }
        switch className {
        case "Conv2DTranspose" where config["groups"] == 1: config["groups"] = nil
        case "DepthwiseConv2D", "SeparableConv2D":
            if config["groups"] == 1 { config["groups"] = nil }
            for key in ["kernel_initializer", "kernel_regularizer", "kernel_constraint"] { config[key] = nil }
        case "Embedding": config["input_length"] = nil
        case "SpatialDropout2D" where config["noise_shape"] == .null: config["noise_shape"] = nil
        case "RandomContrast":
            // One number means both directions there, upwards alone in Keras 3.
            if let factor = config["factor"]?.number { config["factor"] = [.double(factor), .double(factor)] }
        case "BatchNormalization":
            for key in ["fused", "virtual_batch_size", "adjustment"] { config[key] = nil }
        default: break
        }
        if config["activation"]?.text == "hard_sigmoid" {
            let name = config["name"]?.text.map { " \($0.prefix(60))" } ?? ""
            throw GraftError(
                .format,
                "the layer\(name) (\(className.prefix(60))) has Keras 2's hard_sigmoid, min(max(0.2 x + 0.5, 0), 1), for its "
                    + "activation; Keras 3's is another function and would change what the model computes")
        }
    }
}

extension Configuration {
    /// A serialized model in Keras 3's form.
    ///
    /// - Throws: ``GraftError`` with code `format` where a call cannot be read, or a function has no counterpart.
    package func inKerasThreeForm() throws(GraftError) -> Configuration {
        try KerasTwoForm.isForm(of: self) ? KerasTwoForm().translated(self) : self
    }
}
