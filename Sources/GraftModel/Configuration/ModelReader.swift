extension Model {
    /// The model that Keras's serialized object describes, as `model.to_json()`, the `config.json` of a `.keras` file and the
    /// `model_config` of an `.h5` file have it, of Keras 3 or 2. Its variables have their initial values.
    ///
    /// - Parameters:
    ///   - serialized: An object with `class_name` (`Functional` or `Sequential`) and `config`.
    ///   - registry: The layers that are known.
    /// - Throws: ``GraftError`` with code `format` where a layer, an argument or a connection is not known or does not
    ///   fit; nothing in a file can trap.
    public static func deserialize(
        _ serialized: Configuration, registry: LayerRegistry = .standard
    ) throws(GraftError) -> Model {
        let current = try serialized.inKerasThreeForm()
        let model = try ModelReader(registry: registry).model(current, depth: 0)
        model.readingNotes = current.readingNotes()
        return model
    }
}

/// Makes models from Keras's configurations.
private struct ModelReader {
    let registry: LayerRegistry

    /// Models inside models; more than any sensible network has, and few enough for the stack.
    private static let depthLimit = 32
    /// Layers of one model; the order of a hostile file may cost the square of it.
    private static let layerLimit = 20_000
    private static let modelClasses: Set<String> = ["Functional", "Sequential", "Model"]

    func model(_ serialized: Configuration, depth: Int) throws(GraftError) -> Model {
        guard let className = serialized["class_name"]?.text, let members = serialized["config"]?.members else {
            throw GraftError(.format, "a model needs a class_name and a config; this is \(serialized.brief)")
        }
        guard depth < Self.depthLimit else {
            throw GraftError(.format, "models are nested more than \(Self.depthLimit) deep")
        }
        if let type = SerializedClass(serialized), type.isCustom {
            throw type.refusal(
                of: "model class", wayOut: "save it as a functional or sequential model of Keras's own layers")
        }
        switch className {
        case "Sequential": return try sequential(members, depth: depth)
        case "Functional", "Model": return try functional(members, depth: depth)
        default:
            throw GraftError(
                .format, "the model class \(className.prefix(60)) is not known; known are Functional and Sequential")
        }
    }

    private func layer(_ serialized: Configuration, depth: Int) throws(GraftError) -> Layer {
        let type = SerializedClass(serialized)
        if Self.modelClasses.contains(type?.name ?? "") { return try model(serialized, depth: depth + 1) }
        guard type?.isCustom == false else { return try registry.layer(serialized) }
        if type?.isOperation == true || OperationLayer.isUnnamedOperation(serialized) {
            return try OperationLayer(serialized)
        }
        if type?.name == TimeDistributed.className { return try timeDistributed(serialized, depth: depth + 1) }
        return try registry.layer(serialized)
    }

    /// A layer that holds another one, or a model.
    private func timeDistributed(_ serialized: Configuration, depth: Int) throws(GraftError) -> Layer {
        guard depth < Self.depthLimit, let inner = serialized["config"]?["layer"] else {
            throw GraftError(.format, "a TimeDistributed has no layer inside, or is nested too deep")
        }
        var reader = try ConfigurationReader(
            className: TimeDistributed.className, configuration: serialized["config"] ?? .null)
        _ = reader.optional("layer")
        let layer = TimeDistributed(try self.layer(inner, depth: depth), name: reader.name)
        try reader.finish()
        // Not that of the layer inside, which has its own.
        layer.setOwnTrainable(reader.trainable)
        return layer
    }

    private func layers(of members: [String: Configuration]) throws(GraftError) -> [Configuration] {
        guard let layers = members["layers"]?.elements else {
            throw GraftError(.format, "the model's configuration has no list of layers")
        }
        guard layers.count <= Self.layerLimit else {
            throw GraftError(.format, "the model has \(layers.count) layers; at most \(Self.layerLimit) are read")
        }
        return layers
    }

    // MARK: Sequential

    private func sequential(_ members: [String: Configuration], depth: Int) throws(GraftError) -> Model {
        var layers: [Layer] = []
        for serialized in try self.layers(of: members) { layers.append(try layer(serialized, depth: depth)) }
        var shape: Shape?
        if let sizes = members["build_input_shape"]?.elements, !(layers.first is InputLayer) {
            let known = sizes.dropFirst().compactMap(\.integer)
            guard !sizes.isEmpty, known.count == sizes.count - 1 else {
                throw GraftError(.format, "the model's build_input_shape must have numbers behind the batch axis")
            }
            shape = Shape(known)
        }
        let model = try Sequential(layers, inputShape: shape, name: members["name"]?.text)
        model.setOwnTrainable(members["trainable"]?.flag ?? true)
        return model
    }

    // MARK: Functional

    private func functional(_ members: [String: Configuration], depth: Int) throws(GraftError) -> Model {
        var calls = CallBuilder()
        for serialized in try layers(of: members) {
            try calls.add(layer(serialized, depth: depth), serialized)
        }
        try calls.run()
        guard let inputs = members["input_layers"], let outputs = members["output_layers"] else {
            throw GraftError(.format, "the model's configuration has no input_layers or no output_layers")
        }
        let model = try Model(
            inputs: calls.boundary(inputs), outputs: calls.boundary(outputs), name: members["name"]?.text)
        model.setOwnTrainable(members["trainable"]?.flag ?? true)
        return model
    }
}
