/// The calls that lead from a model's inputs to its outputs, and its layers in Keras's order.
///
/// Source: keras/src/ops/function.py, `map_graph` and `_build_map`; here in loops, as chains can be thousands long.
package struct ModelGraph: Sendable {
    /// The places where data enters, each the output of an ``InputLayer``.
    package let inputs: [SymbolicTensor]
    /// The places where results come out.
    package let outputs: [SymbolicTensor]
    /// All calls, each after those that it depends on.
    package let calls: [Call]
    /// All layers by falling depth (the longest way to an output), and in the order of traversal where depths agree.
    package let layers: [Layer]
    /// The calls here and inside the models that are called.
    let expandedCallCount: Int

    /// The most calls that a model may stand for. A few models that call one another twice each, as a hostile file may
    /// have them, stand for billions.
    private static let expandedCallLimit = 1_000_000

    /// Finds the calls between inputs and outputs.
    ///
    /// - Throws: ``GraftError`` with code `argument` where an output does not depend on the inputs alone.
    package init(inputs: [SymbolicTensor], outputs: [SymbolicTensor]) throws(GraftError) {
        guard !inputs.isEmpty, !outputs.isEmpty else {
            throw GraftError(.argument, "a model needs at least one input and one output")
        }
        guard Set(inputs).count == inputs.count else {
            throw GraftError(.argument, "a model's inputs must differ from one another; one was given twice")
        }
        let (inputs, outputs) = inputs.allSatisfy(\.call.isInput) ? (inputs, outputs) : Self.cut(inputs, outputs)
        let traversal = Traversal(from: outputs, stoppingAt: [])
        let given = Set(inputs.map { ObjectIdentifier($0.call) })
        for call in traversal.calls where call.isInput && !given.contains(ObjectIdentifier(call)) {
            throw GraftError(
                .argument,
                "the outputs need the input \(call.layer.name), which is not among the model's inputs "
                    + "(\(inputs.map(\.layer.name).joined(separator: ", "))); add it to `inputs:`")
        }
        (self.inputs, self.outputs) = (inputs, outputs)
        let unused = inputs.map(\.call).filter { !traversal.contains($0) }
        calls = unused + traversal.calls
        layers = LayerOrder(traversal, unused: unused.map(\.layer)).layers
        expandedCallCount = calls.reduce(0) { $0 + (($1.layer as? Model)?.graph?.expandedCallCount ?? 1) }
        guard expandedCallCount <= Self.expandedCallLimit else {
            throw GraftError(
                .argument,
                "the model stands for \(expandedCallCount) calls of layers; at most \(Self.expandedCallLimit) are taken"
            )
        }
    }

    /// Puts new inputs in the place of tensors inside a model, and repeats the calls from there on.
    private static func cut(
        _ inputs: [SymbolicTensor], _ outputs: [SymbolicTensor]
    ) -> ([SymbolicTensor], [SymbolicTensor]) {
        var replacements: [SymbolicTensor: SymbolicTensor] = [:]
        for input in inputs {
            replacements[input] =
                input.call.isInput ? input : InputLayer(shape: input.shape, dtype: input.dtype).tensor()
        }
        let calls = Traversal(from: outputs, stoppingAt: Set(inputs)).calls
        let results = repeating(calls, replacements, outputs: outputs)
        return (inputs.map { replacements[$0] ?? $0 }, results)
    }

    /// Repeats the calls that depend on tensors which others take the place of; what the outputs are then.
    static func repeating(
        _ calls: [Call], _ given: [SymbolicTensor: SymbolicTensor], outputs: [SymbolicTensor]
    ) -> [SymbolicTensor] {
        var replacements = given
        for call in calls {
            let sources = call.inputs.map { replacements[$0] ?? $0 }
            guard sources != call.inputs else { continue }
            for (old, new) in zip(call.outputs, call.repeated(with: sources).outputs) where replacements[old] == nil {
                replacements[old] = new
            }
        }
        return outputs.map { replacements[$0] ?? $0 }
    }
}

/// The calls after some tensors: depth first, each call after those that it depends on.
private struct Traversal {
    private(set) var calls: [Call] = []
    /// The order in which layers were first met, on the way down.
    private(set) var firstMeetings: [ObjectIdentifier: Int] = [:]
    private var visited: Set<ObjectIdentifier> = []

    init(from outputs: [SymbolicTensor], stoppingAt limits: Set<SymbolicTensor>) {
        var path: [(call: Call, inputs: [SymbolicTensor], next: Int)] = []
        for output in outputs {
            enter(output, limits, &path)
            while let (call, inputs, next) = path.last {
                if next < inputs.count {
                    path[path.count - 1].next += 1
                    enter(inputs[next], limits, &path)
                } else {
                    path.removeLast()
                    calls.append(call)
                }
            }
        }
    }

    func contains(_ call: Call) -> Bool { visited.contains(ObjectIdentifier(call)) }

    private mutating func enter(
        _ tensor: SymbolicTensor, _ limits: Set<SymbolicTensor>,
        _ path: inout [(call: Call, inputs: [SymbolicTensor], next: Int)]
    ) {
        guard !limits.contains(tensor), visited.insert(ObjectIdentifier(tensor.call)).inserted else { return }
        let layer = ObjectIdentifier(tensor.layer)
        if firstMeetings[layer] == nil { firstMeetings[layer] = firstMeetings.count }
        path.append((tensor.call, tensor.call.inputs, 0))
    }
}

/// Keras's order of a model's layers.
private struct LayerOrder {
    let layers: [Layer]

    init(_ traversal: Traversal, unused: [Layer]) {
        var callDepths: [ObjectIdentifier: Int] = [:]
        var layerDepths: [ObjectIdentifier: Int] = [:]
        var found: [Layer] = []
        for call in traversal.calls.reversed() {
            let layer = ObjectIdentifier(call.layer)
            if layerDepths[layer] == nil { found.append(call.layer) }
            let depth = max(callDepths[ObjectIdentifier(call), default: 0], layerDepths[layer, default: 0])
            (callDepths[ObjectIdentifier(call)], layerDepths[layer]) = (depth, depth)
            for input in call.inputs {
                callDepths[ObjectIdentifier(input.call), default: 0] = max(
                    depth + 1, callDepths[ObjectIdentifier(input.call), default: 0])
            }
        }
        let keys = found.map { layer in
            let identity = ObjectIdentifier(layer)
            return (depth: layerDepths[identity, default: 0], meeting: traversal.firstMeetings[identity, default: 0])
        }
        let order = found.indices.sorted { left, right in
            (-keys[left].depth, keys[left].meeting) < (-keys[right].depth, keys[right].meeting)
        }
        // Inputs that no output depends on have depth 0 and come first there, as in Keras.
        let firstOfDepthZero = order.firstIndex { keys[$0].depth == 0 } ?? order.endIndex
        layers = order[..<firstOfDepthZero].map { found[$0] } + unused + order[firstOfDepthZero...].map { found[$0] }
    }
}
