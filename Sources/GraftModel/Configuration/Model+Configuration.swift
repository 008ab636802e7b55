extension Model {
    /// Keras's `get_config` of a functional model.
    final var functionalConfiguration: [String: Configuration] {
        guard let graph else { return ["name": .string(name), "trainable": .bool(trainable)] }
        let writer = FunctionalWriter(graph)
        return [
            "name": .string(name), "trainable": .bool(trainable),
            "layers": .array(graph.layers.map(writer.layer)),
            "input_layers": writer.boundary(graph.inputs), "output_layers": writer.boundary(graph.outputs),
        ]
    }
}

extension Sequential {
    /// Keras's `get_config` of a sequential model.
    var sequentialConfiguration: [String: Configuration] {
        var members = commonConfiguration
        members["layers"] = .array(allLayers.map(\.serialized))
        if graph != nil, let input = allLayers.first as? InputLayer {
            members["build_input_shape"] = input.shape.batchConfiguration
        }
        return members
    }
}

/// Writes the layers of a functional model with their calls, as Keras 3 does.
private struct FunctionalWriter {
    private var callsOfLayers: [ObjectIdentifier: [Call]] = [:]
    private var positions: [ObjectIdentifier: Int] = [:]

    init(_ graph: ModelGraph) {
        for call in graph.calls.sorted(by: { $0.sequence < $1.sequence }) {
            let layer = ObjectIdentifier(call.layer)
            positions[ObjectIdentifier(call)] = callsOfLayers[layer, default: []].count
            callsOfLayers[layer, default: []].append(call)
        }
    }

    func layer(_ layer: Layer) -> Configuration {
        var members = layer.serialized.members ?? [:]
        members["name"] = .string(layer.name)
        let calls = callsOfLayers[ObjectIdentifier(layer), default: []].filter { !$0.isInput }
        members["inbound_nodes"] = .array(calls.map(node))
        return .object(members)
    }

    /// One call: its tensors, and `training` where it was given.
    private func node(_ call: Call) -> Configuration {
        let tensors = call.inputs.map(tensor)
        if let operation = call.layer as? OperationLayer {
            return ["args": .array(operation.written(tensors)), "kwargs": [:]]
        }
        let training = call.layer.has(.trainingOnly) ? false : call.training
        var keywords: [String: Configuration] = training.map { ["training": .bool($0)] } ?? [:]
        var arguments: [Configuration] = call.layer.takesList ? [.array(tensors)] : tensors
        if let signature = call.layer.callSignature {
            let count = signature.positionalCount(of: call.arguments)
            arguments = Array(tensors.prefix(count))
            for (name, tensor) in zip(call.arguments.names, tensors).dropFirst(count) { keywords[name] = tensor }
            for flag in call.arguments.flags { keywords[flag] = true }
        }
        return ["args": .array(arguments), "kwargs": .object(keywords)]
    }

    private func tensor(_ tensor: SymbolicTensor) -> Configuration {
        [
            "class_name": "__keras_tensor__",
            "config": [
                "shape": tensor.shape.batchConfiguration, "dtype": .string(tensor.dtype.rawValue),
                "keras_history": history(tensor, offset: 0),
            ],
        ]
    }

    /// The model's inputs or outputs: one, or a list. Keras counts the calls of functional models from 1 there.
    func boundary(_ tensors: [SymbolicTensor]) -> Configuration {
        let histories = tensors.map { tensor in
            let isFunctional = tensor.layer is Model && !(tensor.layer is Sequential)
            return history(tensor, offset: isFunctional ? 1 : 0)
        }
        return histories.count == 1 ? histories[0] : .array(histories)
    }

    private func history(_ tensor: SymbolicTensor, offset: Int) -> Configuration {
        let position = positions[ObjectIdentifier(tensor.call), default: 0]
        return [.string(tensor.layer.name), .int(position + offset), .int(tensor.index)]
    }
}
