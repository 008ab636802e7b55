extension Model {
    /// The model as a graph.
    ///
    /// - Parameters:
    ///   - batchSize: The number of examples in a batch.
    ///   - training: Whether layers such as ``Dropout`` act as in training.
    ///   - withLosses: Whether what layers add to the loss is among the graph's outputs, behind the model's.
    /// - Throws: ``GraftError`` where an operation refuses its operands, or a ``Sequential`` does not know its input.
    package func lower(
        batchSize: Int, training: Bool, withLosses: Bool = false
    ) throws(GraftError) -> LoweredModel {
        guard batchSize > 0 else {
            throw GraftError(.argument, "a batch needs at least one example; the size \(batchSize) was asked for")
        }
        let graph = try requireGraph()
        var context = LoweringContext(training: training)
        var inputs: [ValueID] = []
        for input in graph.inputs {
            let shape = Shape([batchSize] + input.shape.dimensions)
            inputs.append(try context.graph.input(input.layer.name, shape, as: input.dtype))
        }
        var outputs: [ValueID] = []
        for output in try lowerAll(inputs, in: &context) {
            try outputs.append(context.graph.cast(output, to: .float32))
        }
        let losses = withLosses ? context.losses : []
        context.graph.outputs = outputs + losses
        return LoweredModel(
            graph: context.graph, inputNames: graph.inputs.map(\.layer.name), outputs: outputs,
            lossCount: losses.count, variables: context.variables)
    }
}

extension ModelGraph {
    /// Lowers all calls, in order.
    func lower(
        _ inputs: [ValueID], trainable: Bool, in context: inout LoweringContext
    ) throws(GraftError) -> [ValueID] {
        var values: [SymbolicTensor: ValueID] = [:]
        // A model inside another one may be given the other type.
        for (input, value) in zip(self.inputs, inputs) {
            values[input] = try context.graph.cast(value, to: input.dtype)
        }
        let (training, isFrozen, label) = (context.training, context.isFrozen, context.graph.currentLabel)
        defer { (context.training, context.isFrozen, context.graph.currentLabel) = (training, isFrozen, label) }
        context.isFrozen = isFrozen || !trainable
        for call in calls where !call.isInput {
            context.training = training && call.training != false
            context.graph.currentLabel = label.isEmpty ? call.layer.name : "\(label)/\(call.layer.name)"
            let operands = call.inputs.compactMap { values[$0] }
            do {
                let results = try call.layer.lowerAll(operands, call.arguments, in: &context)
                for (tensor, value) in zip(call.outputs, results) { values[tensor] = value }
                if let regularizer = call.layer.outputRegularizer {
                    try context.addActivityLoss(regularizer, of: results)
                }
            } catch {
                throw error.inside("layer \(call.layer.name) (\(call.layer.kindName))")
            }
        }
        return outputs.compactMap { values[$0] }
    }
}
