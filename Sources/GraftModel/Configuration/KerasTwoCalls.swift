/// The calls of a functional model of Keras 2 in Keras 3's form.
struct KerasTwoCalls {
    private let layers: [Configuration]
    /// By layer: what its calls are counted from. Models inside have a call of their own making.
    private let offsets: [String: Int]
    private let functional: Set<String>

    init(_ layers: [Configuration], _ members: [String: Configuration]) {
        self.layers = layers
        var counts: [String: Int] = [:]
        var functional: Set<String> = []
        for layer in layers {
            let name = Self.name(layer)
            counts[name] = layer["inbound_nodes"]?.elements?.count ?? 0
            if ["Functional", "Model"].contains(layer["class_name"]?.text) { functional.insert(name) }
        }
        var last: [String: Int] = [:]
        func look(at value: Configuration) {
            if let (name, call, _) = Self.history(value), counts[name] != nil {
                last[name] = max(last[name] ?? 0, call)
            }
            value.elements?.forEach(look)
            value.members?.values.forEach(look)
        }
        for layer in layers { layer["inbound_nodes"].map(look) }
        for key in ["input_layers", "output_layers"] { members[key].map(look) }
        // The last call that something reads is the last that there is.
        offsets = last.reduce(into: [:]) { $0[$1.key] = max($1.value - max((counts[$1.key] ?? 1) - 1, 0), 0) }
        self.functional = functional
    }

    private static func name(_ layer: Configuration) -> String {
        layer["name"]?.text ?? layer["config"]?["name"]?.text ?? ""
    }

    /// `[layer, call, output]`, with or without more behind it.
    static func history(_ value: Configuration) -> (name: String, call: Int, output: Int)? {
        guard let parts = value.elements, parts.count >= 3, let name = parts[0].text, let call = parts[1].integer,
            let output = parts[2].integer
        else { return nil }
        return (name, call, output)
    }

    /// The layers with their calls in Keras 3's form.
    func translated() throws(GraftError) -> [Configuration] {
        try layers.map { (layer) throws(GraftError) in
            guard var members = layer.members, let nodes = members["inbound_nodes"]?.elements else { return layer }
            let className = members["class_name"]?.text ?? ""
            if className == "TFOpLambda" || className == "SlicingOpLambda" {
                return try KerasTwoOperation(members, read: tensor).translated()
            }
            members["inbound_nodes"] = .array(try nodes.map { (node) throws(GraftError) in try call(node) })
            return .object(members)
        }
    }

    /// A call: one history, a list or a dictionary of them, each with the arguments that were given by name.
    private func call(_ node: Configuration) throws(GraftError) -> Configuration {
        let entries: [Configuration]
        if Self.history(node) != nil {
            entries = [node]
        } else if let members = node.members, members["args"] == nil {
            entries = members.sorted { $0.key < $1.key }.map(\.value)
        } else if let elements = node.elements {
            entries = elements
        } else {
            return node
        }
        let tensors = try entries.map { (entry) throws(GraftError) in
            guard let tensor = tensor(entry) else {
                throw GraftError(.format, "a call in the model's configuration is not described: \(entry.brief)")
            }
            return tensor
        }
        let named = entries.first?.elements?.dropFirst(3).first?.members ?? [:]
        // Tensors that were given by name are written as histories too.
        let keywords = named.mapValues { tensor($0) ?? $0 }
        return ["args": .array(tensors), "kwargs": .object(keywords)]
    }

    /// A history as Keras 3 writes a tensor; `nil` for anything else.
    private func tensor(_ value: Configuration) -> Configuration? {
        guard let (name, call, output) = Self.history(value), name != "_CONSTANT_VALUE" else { return nil }
        let history: Configuration = [.string(name), .int(call - (offsets[name] ?? 0)), .int(output)]
        return ["class_name": "__keras_tensor__", "config": ["keras_history": history]]
    }

    /// The model's inputs or outputs, where Keras 3 counts the calls of functional models from 1.
    func boundary(_ value: Configuration) throws(GraftError) -> Configuration {
        if let (name, call, output) = Self.history(value) {
            let position = call - (offsets[name] ?? 0) + (functional.contains(name) ? 1 : 0)
            return [.string(name), .int(position), .int(output)]
        }
        if let members = value.members {
            var result: [String: Configuration] = [:]
            for (key, member) in members { result[key] = try boundary(member) }
            return .object(result)
        }
        guard let elements = value.elements else { return value }
        return .array(try elements.map { (element) throws(GraftError) in try boundary(element) })
    }
}
