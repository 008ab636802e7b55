extension Model {
    /// The output of a layer as a value between this model's own inputs and outputs, to put something on or to end a model at:
    /// of `base/mixed7` that of the layer `mixed7` inside the model `base`. Where one layer alone ends in the name, `mixed7` says
    /// as much; characters that a layer's name cannot have, as in the names of ONNX's tensors, may be written as they are.
    ///
    /// - Throws: ``GraftError`` with code `argument` where there is no such layer, naming those that are nearest, and where it is
    ///   called several times or has several outputs.
    public final func output(ofLayer name: String) throws(GraftError) -> SymbolicTensor {
        try tensor(at: path(ofLayer: name))
    }

    /// The path of the layer that a name means.
    package final func path(ofLayer name: String) throws(GraftError) -> String {
        let paths = layersWithPaths.map(\.path)
        for wanted in [name, Self.layerName(for: name)] {
            if paths.contains(wanted) { return wanted }
            let inside = paths.filter { $0.hasSuffix("/" + wanted) }
            if inside.count == 1 { return inside[0] }
        }
        // Nobody misspells the models that a layer is in.
        let names = paths.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
        let wanted = Self.layerName(for: name.split(separator: "/").last.map(String.init) ?? name)
        let nearest = NearestNames.find(wanted, among: names).compactMap { name in
            names.firstIndex(of: name).map { paths[$0] }
        }
        let hint = nearest.isEmpty ? "it has no layers" : "nearest: \(nearest.joined(separator: ", "))"
        throw GraftError(.argument, "the model \(self.name) has no layer called \(name); \(hint)")
    }

    /// A name as a layer may have it: of letters, digits and what TensorFlow and Keras allow beside them.
    package static func layerName(for name: String) -> String {
        let known = name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "_.-".contains($0)) ? $0 : "_" }
        let result = known.drop { "_-".contains($0) }
        return result.isEmpty ? "layer" : String(result)
    }

    /// The output of the layer of a path, as ``output(ofLayer:)``.
    package final func tensor(at path: String) throws(GraftError) -> SymbolicTensor {
        let graph = try requireGraph()
        for layer in sublayers where layer.name == path || path.hasPrefix(layer.name + "/") {
            guard layer.name != path else { return try Self.only(graph.outputs(of: layer), path) }
            guard let model = layer as? Model else { continue }
            let inner = try model.tensor(at: String(path.dropFirst(layer.name.count + 1)))
            let call = try graph.call(of: model)
            if model.outputs == [inner] { return call.outputs[0] }
            // The same layers, up to there.
            let part = try Model(inputs: model.inputs, outputs: [inner], name: model.name)
            part.setOwnTrainable(model.trainable)
            return try Self.only(part.call(call.inputs, training: call.training), path)
        }
        throw GraftError(.argument, "the model \(name) has no layer called \(path)")
    }

    private static func only(_ tensors: [SymbolicTensor], _ path: String) throws(GraftError) -> SymbolicTensor {
        guard let tensor = tensors.first, tensors.count == 1 else {
            throw GraftError(
                .argument, "\(path) is a model with \(tensors.count) outputs; name a layer inside it, \(path)/…")
        }
        return tensor
    }

    /// The same network, with the same layers and variables, whose input goes through something else first.
    package final func preceded(
        by change: (SymbolicTensor) throws(GraftError) -> SymbolicTensor
    ) throws(GraftError) -> Model {
        let graph = try requireGraph()
        let old = try input
        let new = InputLayer(shape: old.shape, dtype: old.dtype, name: old.layer.name).tensor()
        let outputs = ModelGraph.repeating(graph.calls, [old: try change(new)], outputs: graph.outputs)
        let result = try Model(inputs: [new], outputs: outputs, name: name, seed: seed)
        result.metadata = metadata
        result.readingNotes = readingNotes
        return result
    }
}

extension ModelGraph {
    /// The one call of a layer.
    ///
    /// - Throws: ``GraftError`` with code `argument` where it is shared, naming what reads its outputs.
    fileprivate func call(of layer: Layer) throws(GraftError) -> Call {
        let calls = calls.filter { $0.layer === layer }
        guard let call = calls.first else {
            throw GraftError(.argument, "the layer \(layer.name) does not lead to the model's outputs")
        }
        guard calls.count == 1 else {
            let readers = self.calls.filter { $0.inputs.contains { $0.layer === layer } }.map(\.layer.name)
            throw GraftError(
                .argument,
                "the layer \(layer.name) is shared: it is called \(calls.count) times, and which output is meant cannot be "
                    + "told; name a layer after it, such as \(readers.prefix(3).joined(separator: ", "))")
        }
        return call
    }

    fileprivate func outputs(of layer: Layer) throws(GraftError) -> [SymbolicTensor] { try call(of: layer).outputs }
}
