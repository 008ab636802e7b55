import GraftModel

/// Input sizes that a file leaves open: `[null, null, null, 3]` fits images of any size, and Graft plans for one.
package struct InputShapes: Sendable {
    /// What takes the place of open sizes.
    package enum Replacement: Sendable {
        /// This shape, without the batch axis.
        case shape(Shape)
        /// So many rows and columns of an image; 3 channels where they are open too.
        case side(Int)
    }

    /// `nil` where nothing was said.
    let replacement: Replacement?
    /// How the caller names it, for messages.
    let wayOut: String

    /// - Parameter wayOut: how a size is given, for callers that gave none.
    package init(_ replacement: Replacement?, wayOut: String) {
        (self.replacement, self.wayOut) = (replacement, wayOut)
    }

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

    /// Sizes without the batch axis, the open ones filled.
    ///
    /// - Throws: as ``settle(_:)``.
    func settled(_ sizes: [Int?], of name: String) throws(GraftError) -> Shape {
        let shape = try settled(.array([.null] + sizes.map { $0.map { .int($0) } ?? .null }), of: name)
        return Shape(shape.elements?.compactMap(\.integer) ?? [])
    }

    private func settled(_ shape: Configuration, of name: String) throws(GraftError) -> Configuration {
        guard case .array(let sizes) = shape, sizes.dropFirst().contains(where: \.isNull) else { return shape }
        let shown = "(" + sizes.map { $0.integer.map(String.init) ?? "None" }.joined(separator: ", ") + ")"
        guard let replacement else {
            throw GraftError(
                .shape, "the input \(name) has the shape \(shown), which leaves sizes open; say which to use: \(wayOut)"
            )
        }
        let dimensions: [Int]
        switch replacement {
        case .shape(let shape): dimensions = shape.dimensions
        case .side(let side): dimensions = [side, side, sizes.last?.integer ?? 3]
        }
        let fits =
            sizes.count == dimensions.count + 1
            && zip(sizes.dropFirst(), dimensions).allSatisfy { $0.isNull || $0.integer == $1 }
        guard fits else {
            throw GraftError(.shape, "the input \(name) has the shape \(shown); \(Shape(dimensions)) does not fit it")
        }
        return .array([.null] + dimensions.map { .int($0) })
    }
}
