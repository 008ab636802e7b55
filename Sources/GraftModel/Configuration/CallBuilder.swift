/// Repeats the calls that a functional configuration lists: each as soon as the tensors that it reads exist.
struct CallBuilder {
    private struct Pending {
        let layer: Layer
        let nodes: [Configuration]
        var next = 0
    }

    private var pending: [Pending] = []
    private var layers: [String: Layer] = [:]
    /// The outputs of each layer's calls, by the layer's name.
    private var results: [String: [[SymbolicTensor]]] = [:]

    /// Notes a layer with its calls.
    mutating func add(_ layer: Layer, _ serialized: Configuration) throws(GraftError) {
        guard let name = serialized["name"]?.text ?? serialized["config"]?["name"]?.text else {
            throw GraftError(.format, "a layer of the model (\(type(of: layer).className)) has no name")
        }
        guard layers.updateValue(layer, forKey: name) == nil else {
            throw GraftError(.format, "two layers of the model are called \(name.prefix(60))")
        }
        if let input = layer as? InputLayer {
            try input.checkArguments()
            results[name] = [[input.tensor()]]
            return
        }
        pending.append(
            Pending(layer: layer, nodes: serialized["inbound_nodes"]?.elements ?? []))
    }

    /// Makes all calls.
    ///
    /// - Throws: ``GraftError`` with code `format` where some wait for one another.
    mutating func run() throws(GraftError) {
        while !pending.isEmpty {
            var rest: [Pending] = []
            var progressed = false
            for var entry in pending {
                let before = entry.next
                try advance(&entry)
                progressed = progressed || entry.next > before || entry.nodes.isEmpty
                if entry.next < entry.nodes.count { rest.append(entry) }
            }
            guard progressed else {
                let names = rest.prefix(5).map(\.layer.name).joined(separator: ", ")
                throw GraftError(.format, "these layers read results that nothing gives: \(names)")
            }
            pending = rest
        }
    }

    /// Makes the calls of one layer for as long as their tensors exist.
    private mutating func advance(_ entry: inout Pending) throws(GraftError) {
        while entry.next < entry.nodes.count {
            let node = entry.nodes[entry.next]
            var inputs: [SymbolicTensor] = []
            let (references, arguments) = try operands(node, of: entry.layer)
            for reference in references {
                guard let input = try tensor(reference, offset: 0) else { return }
                inputs.append(input)
            }
            let outputs = try entry.layer.call(inputs, arguments, training: training(node, of: entry.layer))
            results[entry.layer.name, default: []].append(outputs)
            entry.next += 1
        }
    }

    /// The histories of the tensors that a call reads: `args` is one tensor or a list of them.
    private func references(_ node: Configuration, of layer: Layer) throws(GraftError) -> [Configuration] {
        let place = "layer \(layer.name.prefix(60)) (\(layer.kindName))"
        guard let arguments = node["args"]?.elements else {
            throw GraftError(
                .format, "\(place): its call has no args; the file is of no Keras that Graft knows")
        }
        let isOperation = layer is OperationLayer
        let parts = arguments.flatMap { Self.parts(of: $0, depth: 0) }
        return try parts.filter { !isOperation || Self.isTensor($0) }.map { (argument) throws(GraftError) in
            guard Self.isTensor(argument), let history = argument["config"]?["keras_history"] else {
                throw GraftError(.format, "\(place): its call reads \(argument.brief), which is no tensor")
            }
            return history
        }
    }

    /// What a call reads: the histories of its tensors, and what it says of them by name.
    private func operands(
        _ node: Configuration, of layer: Layer
    ) throws(GraftError) -> (histories: [Configuration], arguments: CallArguments) {
        guard let signature = layer.callSignature else { return (try references(node, of: layer), .plain) }
        let place = "layer \(layer.name.prefix(60)) (\(layer.kindName))"
        guard let positional = node["args"]?.elements, positional.count <= signature.tensors.count else {
            throw GraftError(
                .format,
                "\(place): its call has no args, or more than \(signature.tensors.count); the file is of no Keras that Graft "
                    + "knows")
        }
        let keywords = node["kwargs"]?.members ?? [:]
        var (histories, names, flags) = ([Configuration](), [String](), Set<String>())
        // Those with names come in the order of the names, as Keras goes through them.
        let named = signature.tensors.sorted().map { ($0, keywords[$0] ?? .null) }
        for (name, argument) in Array(zip(signature.tensors, positional)) + named where !argument.isNull {
            guard !names.contains(name), Self.isTensor(argument), let history = argument["config"]?["keras_history"]
            else {
                throw GraftError(
                    .format,
                    "\(place): its call reads \(argument.brief) as \(name), which is no tensor, or is given twice")
            }
            histories.append(history)
            names.append(name)
        }
        for flag in signature.flags where keywords[flag]?.isNull == false {
            guard let isOn = keywords[flag]?.flag else {
                throw GraftError(.format, "\(place): its call says \(flag), which must be true or false")
            }
            if isOn { flags.insert(flag) }
        }
        for key in CallSignature.withoutEffect where keywords[key]?.flag == true {
            throw GraftError(
                .format, "\(place): its call has \(key), which Graft does not know; give the layer's output alone")
        }
        return (histories, CallArguments(names: names, flags: flags))
    }

    private static func isTensor(_ argument: Configuration) -> Bool {
        argument["class_name"]?.text == "__keras_tensor__"
    }

    /// What stands in lists and dictionaries of arguments, those of dictionaries in the order of their keys, as Keras has it.
    private static func parts(of argument: Configuration, depth: Int) -> [Configuration] {
        guard depth < 8 else { return [argument] }
        if let elements = argument.elements { return elements.flatMap { parts(of: $0, depth: depth + 1) } }
        guard let members = argument.members, members["class_name"] == nil else { return [argument] }
        return members.sorted { $0.key < $1.key }.flatMap { parts(of: $0.value, depth: depth + 1) }
    }

    /// The explicit mode; see ``LayerTrait/trainingOnly``.
    private func training(_ node: Configuration, of layer: Layer) throws(GraftError) -> Bool? {
        let known = layer.callSignature.map { $0.tensors + $0.flags + CallSignature.withoutEffect } ?? []
        for (key, value) in node["kwargs"]?.members ?? [:]
        where key != "training" && !value.isNull && !known.contains(key) {
            throw GraftError(
                .format, "the layer \(layer.name) is called with \(key.prefix(60)), which Graft does not know")
        }
        return layer.has(.trainingOnly) ? nil : node["kwargs"]?["training"]?.flag
    }

    // MARK: Inputs and outputs

    /// The tensors of `input_layers` or `output_layers`: one history, a list of them or a dictionary.
    func boundary(_ value: Configuration) throws(GraftError) -> [SymbolicTensor] {
        guard value.elements != nil || value.members != nil else {
            throw GraftError(.format, "the model's inputs and outputs must be lists; this is \(value.brief)")
        }
        return try Self.histories(value, depth: 0).map { (history) throws(GraftError) in
            let name = history.elements?.first?.text ?? ""
            let isFunctional = layers[name].map { $0 is Model && !($0 is Sequential) } ?? false
            guard let tensor = try tensor(history, offset: isFunctional ? 1 : 0) else {
                throw GraftError(.format, "the model's configuration names \(history.brief), which nothing gives")
            }
            return tensor
        }
    }

    /// The histories of one tensor, a list of them or a dictionary, whose order is that of its keys, as in Keras.
    private static func histories(_ value: Configuration, depth: Int) -> [Configuration] {
        if let members = value.members, depth < 8 {
            return members.sorted { $0.key < $1.key }.flatMap { histories($0.value, depth: depth + 1) }
        }
        guard let elements = value.elements, elements.first?.text == nil, depth < 8 else { return [value] }
        return elements.flatMap { histories($0, depth: depth + 1) }
    }

    /// The tensor that `[layer, call, output]` means, `nil` where the call was not made yet.
    private func tensor(_ history: Configuration, offset: Int) throws(GraftError) -> SymbolicTensor? {
        guard let parts = history.elements, parts.count >= 3, let name = parts[0].text, let call = parts[1].integer,
            let output = parts[2].integer, call >= offset, output >= 0
        else { throw GraftError(.format, "a tensor in the model's configuration is not described: \(history.brief)") }
        guard layers[name] != nil else {
            throw GraftError(
                .format, "the model's configuration reads the layer \(name.prefix(60)), which it does not have")
        }
        guard let calls = results[name], call - offset < calls.count else { return nil }
        guard output < calls[call - offset].count else {
            throw GraftError(.format, "the layer \(name.prefix(60)) has no output \(output)")
        }
        return calls[call - offset][output]
    }
}
