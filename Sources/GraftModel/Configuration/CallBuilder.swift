/// Repeats the calls that a functional configuration lists: each as soon as the tensors that it reads exist.
struct CallBuilder {
    private struct Pending {
        let layer: Layer
        let nodes: [Configuration]
        /// Whether it is an operator such as `x + y`, which Keras writes under the name of a layer.
        let isOperation: Bool
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
            Pending(
                layer: layer, nodes: serialized["inbound_nodes"]?.elements ?? [],
                isOperation: SerializedClass(serialized)?.isOperation ?? false))
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
            for reference in try references(node, of: entry.layer) {
                guard let input = try tensor(reference, offset: 0) else { return }
                inputs.append(input)
            }
            if entry.isOperation { try checkRanks(inputs, of: entry.layer) }
            let outputs = try entry.layer.call(inputs, training: training(node, of: entry.layer))
            results[entry.layer.name, default: []].append(outputs)
            entry.next += 1
        }
    }

    /// The histories of the tensors that a call reads: `args` is one tensor or a list of them.
    private func references(_ node: Configuration, of layer: Layer) throws(GraftError) -> [Configuration] {
        let place = "layer \(layer.name.prefix(60)) (\(type(of: layer).className))"
        guard let arguments = node["args"]?.elements else {
            throw GraftError(
                .format, "\(place): its call has no args; files of Keras 3 have them, older ones are not read")
        }
        return try arguments.flatMap { $0.elements ?? [$0] }.map { (argument) throws(GraftError) in
            guard argument["class_name"]?.text == "__keras_tensor__",
                let history = argument["config"]?["keras_history"]
            else {
                let wayOut =
                    argument.number == nil ? "" : "; for x * a + b with numbers, use keras.layers.Rescaling(a, b)"
                throw GraftError(.format, "\(place): its call reads \(argument.brief), which is no tensor\(wayOut)")
            }
            return history
        }
    }

    /// Refuses an operator on tensors of different ranks. NumPy's rule, which operators follow, lines up the last axes and
    /// with them one example's axis with another's batch; the layers' rule, which Graft follows, keeps the batch in front.
    private func checkRanks(_ inputs: [SymbolicTensor], of layer: Layer) throws(GraftError) {
        guard layer is Add || layer is Multiply, Set(inputs.map(\.shape.rank)).count > 1 else { return }
        let kind = type(of: layer).className
        let shapes = inputs.map(\.shape.batchDescription).joined(separator: " and ")
        throw GraftError(
            .shape,
            "layer \(layer.name.prefix(60)): the operator \(kind) joins the shapes \(shapes) as NumPy does, from the last "
                + "axis on, so that the batch meets another axis; use keras.layers.\(kind), or Reshape to the same rank"
        )
    }

    /// The explicit mode; see ``LayerTrait/trainingOnly``.
    private func training(_ node: Configuration, of layer: Layer) throws(GraftError) -> Bool? {
        for (key, value) in node["kwargs"]?.members ?? [:] where key != "training" && !value.isNull {
            throw GraftError(
                .format, "the layer \(layer.name) is called with \(key.prefix(60)), which Graft does not know")
        }
        return layer.has(.trainingOnly) ? nil : node["kwargs"]?["training"]?.flag
    }

    // MARK: Inputs and outputs

    /// The tensors of `input_layers` or `output_layers`: one history, or a list of them.
    func boundary(_ value: Configuration) throws(GraftError) -> [SymbolicTensor] {
        guard let elements = value.elements else {
            throw GraftError(.format, "the model's inputs and outputs must be lists; this is \(value.brief)")
        }
        let histories = elements.first?.text != nil ? [value] : elements
        return try histories.map { (history) throws(GraftError) in
            let name = history.elements?.first?.text ?? ""
            let isFunctional = layers[name].map { $0 is Model && !($0 is Sequential) } ?? false
            guard let tensor = try tensor(history, offset: isFunctional ? 1 : 0) else {
                throw GraftError(.format, "the model's configuration names \(history.brief), which nothing gives")
            }
            return tensor
        }
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
