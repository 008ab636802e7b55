extension Layer {
    /// Calls the layer: builds it where that was not done, and gives the place of its result in the model to come.
    ///
    /// - Parameters:
    ///   - input: What goes in.
    ///   - training: `false` holds the layer, and all layers inside a model, in inference mode whatever the caller
    ///     does: `base(x, training: false)`, as Keras documents it (a functional model of Keras 3.15 forgets it in
    ///     `fit`). `nil` and `true` follow the caller.
    /// - Throws: ``GraftError`` with code `shape` or `argument` where the layer cannot take the input.
    public final func callAsFunction(
        _ input: SymbolicTensor, training: Bool? = nil
    ) throws(GraftError) -> SymbolicTensor {
        try onlyOutput(call([input], training: training))
    }

    /// Calls a layer that takes several inputs, such as ``Concatenate``.
    public final func callAsFunction(
        _ inputs: [SymbolicTensor], training: Bool? = nil
    ) throws(GraftError) -> SymbolicTensor {
        try onlyOutput(call(inputs, training: training))
    }

    /// Calls the layer on its inputs and gives all its outputs; more than one only for a model with several.
    public final func call(_ inputs: [SymbolicTensor], training: Bool? = nil) throws(GraftError) -> [SymbolicTensor] {
        let arguments =
            try callSignature.map { (signature) throws(GraftError) in
                try signature.positional(inputs.count, of: "\(name) (\(kindName))")
            } ?? .plain
        return try call(inputs, arguments, training: training)
    }

    /// Calls the layer on inputs that may have names.
    package final func call(
        _ inputs: [SymbolicTensor], _ arguments: CallArguments, training: Bool? = nil
    ) throws(GraftError) -> [SymbolicTensor] {
        let shapes = inputs.map(\.shape)
        do {
            try buildIfNeeded(builtShapes(of: shapes, arguments))
            let outputShapes = try outputShapes(for: shapes, arguments)
            for shape in outputShapes { try shape.checkSize() }
            return Call(
                layer: self, inputs: inputs, training: training, arguments: arguments, outputShapes: outputShapes
            ).outputs
        } catch {
            throw error.inside("layer \(name) (\(kindName))")
        }
    }

    final func onlyOutput(_ outputs: [SymbolicTensor]) throws(GraftError) -> SymbolicTensor {
        guard let output = outputs.first, outputs.count == 1 else {
            throw GraftError(
                .argument, "the model \(name) has \(outputs.count) outputs; call it with `call(_:)`, which gives all")
        }
        return output
    }

    /// The one call of this layer.
    var onlyCall: Call {
        get throws(GraftError) {
            let calls = calls
            guard let call = calls.first else {
                throw GraftError(
                    .state,
                    "the layer \(name) is in no model and nothing holds the result of a call of it; call it first")
            }
            guard calls.count == 1 else {
                throw GraftError(
                    .state,
                    "the layer \(name) was called \(calls.count) times, so that it has no single input or output")
            }
            return call
        }
    }
}

// MARK: - Variables

extension Layer {
    /// All variables, in Keras's order: layer by layer, those that can train first.
    public final var variables: [Variable] { unique(ownVariables + sublayers.flatMap(\.variables)) }

    /// The variables that training changes: none where the layer is frozen, or a model that holds it.
    public final var trainableVariables: [Variable] {
        guard trainable else { return [] }
        return unique(ownVariables.filter(\.trainable) + sublayers.flatMap(\.trainableVariables))
    }

    /// All other variables.
    public final var nonTrainableVariables: [Variable] {
        let trainable = Set(trainableVariables)
        return variables.filter { !trainable.contains($0) }
    }

    /// The values of all variables, in their order.
    public final var weights: [Tensor] { variables.map(\.value) }

    /// Sets the values of all variables, or of none where they do not fit.
    ///
    /// - Throws: ``GraftError`` with code `weights` where the number or a shape differs.
    public final func setWeights(_ tensors: [Tensor]) throws(GraftError) {
        let variables = variables
        guard tensors.count == variables.count else {
            throw GraftError(
                .weights, "the layer \(name) has \(variables.count) variables; it was given \(tensors.count) arrays")
        }
        for (variable, tensor) in zip(variables, tensors) where variable.shape != tensor.shape {
            throw GraftError(
                .weights, "the variable \(variable.path) has the shape \(variable.shape); it was given \(tensor.shape)")
        }
        for (variable, tensor) in zip(variables, tensors) { variable.value = tensor }
    }

    /// The number of all variables' elements.
    public final func countParameters() -> Int { variables.parameterCount }

    final func unique(_ variables: [Variable]) -> [Variable] {
        var seen: Set<Variable> = []
        return variables.filter { seen.insert($0).inserted }
    }
}

extension [Variable] {
    /// The number of all elements.
    package var parameterCount: Int { reduce(0) { $0 + $1.shape.elementCount } }
}
