import GraftModel

/// Input sizes that a file leaves open: `[null, null, null, 3]` fits pictures of any size, and Graft plans for one.
struct InputShapes {
    /// The shape for inputs with open sizes, without the batch axis.
    let replacement: Shape?

    /// Fills open sizes in all input layers of a serialized model, in models inside it too.
    ///
    /// - Throws: `.shape` where a size is open and no shape was given, or the given one does not fit the known sizes.
    func settle(_ serialized: inout Configuration) throws(GraftError) {
        guard case .object(var members) = serialized, case .object(var config)? = members["config"] else { return }
        let name = config["name"]?.text ?? "input"
        if members["class_name"]?.text == "InputLayer" {
            for key in ["batch_shape", "batch_input_shape"] {
                if let shape = config[key] { config[key] = try settled(shape, of: name) }
            }
        }
        if let shape = config["build_input_shape"] { config["build_input_shape"] = try settled(shape, of: name) }
        if case .array(var layers)? = config["layers"] {
            for index in layers.indices { try settle(&layers[index]) }
            config["layers"] = .array(layers)
        }
        members["config"] = .object(config)
        serialized = .object(members)
    }

    private func settled(_ shape: Configuration, of name: String) throws(GraftError) -> Configuration {
        guard case .array(let sizes) = shape, sizes.dropFirst().contains(where: \.isNull) else { return shape }
        let shown = "(" + sizes.map { $0.integer.map(String.init) ?? "None" }.joined(separator: ", ") + ")"
        guard let replacement else {
            throw GraftError(
                .shape,
                "the input \(name) has the shape \(shown), which leaves sizes open; "
                    + "say which to use: Model.load(path, inputShape: [224, 224, 3])")
        }
        let fits =
            sizes.count == replacement.rank + 1
            && zip(sizes.dropFirst(), replacement.dimensions).allSatisfy { $0.isNull || $0.integer == $1 }
        guard fits else {
            throw GraftError(.shape, "the input \(name) has the shape \(shown); \(replacement) does not fit it")
        }
        return .array([.null] + replacement.dimensions.map { .int($0) })
    }
}
