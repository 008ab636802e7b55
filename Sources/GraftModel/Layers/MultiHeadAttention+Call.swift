extension MultiHeadAttention {
    /// Calls the layer.
    ///
    /// - Parameters:
    ///   - query: What asks: `(T, width)`.
    ///   - value: What is asked for: `(S, width)`.
    ///   - key: What it is found by; the value where `nil`.
    ///   - attentionMask: What may be seen: not 0 where a position of the query may see one of the keys, `(T, S)`, or `(1, S)` for
    ///     all positions alike, or with an axis of heads before. Of int32 or float32.
    ///   - keyMask: Which keys may be seen by all, `(S)`: what pads a text has 0 there. Keras's `key_mask`.
    ///   - useCausalMask: Whether a position sees itself and those before it alone.
    ///   - training: As for any layer.
    /// - Throws: ``GraftError`` with code `shape` where the shapes do not fit one another.
    public func callAsFunction(
        _ query: SymbolicTensor, _ value: SymbolicTensor, key: SymbolicTensor? = nil,
        attentionMask: SymbolicTensor? = nil, keyMask: SymbolicTensor? = nil, useCausalMask: Bool = false,
        training: Bool? = nil
    ) throws(GraftError) -> SymbolicTensor {
        let given: [(String, SymbolicTensor?)] = [
            ("query", query), ("value", value), ("key", key), ("attention_mask", attentionMask), ("key_mask", keyMask),
        ]
        let inputs = given.compactMap { name, tensor in tensor.map { (name, $0) } }
        let arguments = CallArguments(
            names: inputs.map(\.0), flags: useCausalMask ? [Self.causalFlag] : [])
        return try onlyOutput(call(inputs.map(\.1), arguments, training: training))
    }

    static let causalFlag = "use_causal_mask"

    // MARK: Shapes

    /// The shapes of query, value and, where the call has one, key.
    func operandShapes(
        _ inputShapes: [Shape], _ arguments: CallArguments
    ) throws(GraftError) -> [Shape] {
        guard let query = arguments.input("query", of: inputShapes),
            let value = arguments.input("value", of: inputShapes)
        else {
            throw GraftError(
                .argument,
                "MultiHeadAttention takes a query and a value, the same tensor twice for self-attention; it was given "
                    + "\(inputShapes.count) input\(inputShapes.count == 1 ? "" : "s")")
        }
        let shapes = [query, value] + (arguments.input("key", of: inputShapes).map { [$0] } ?? [])
        guard shapes.allSatisfy({ $0.rank == 2 }), shapes.dropFirst().allSatisfy({ $0[0] == value[0] }) else {
            throw GraftError(
                .shape,
                "MultiHeadAttention takes sequences, (steps, channels), and a key for each value; it was given "
                    + shapes.map(\.batchDescription).joined(separator: ", "))
        }
        return shapes
    }

    /// The shape of the result, where query, value, key and masks fit one another.
    func resultShape(_ inputShapes: [Shape], _ arguments: CallArguments) throws(GraftError) -> Shape {
        let shapes = try operandShapes(inputShapes, arguments)
        for (built, shape) in zip(builtInputShapes, shapes) where built.last != shape.last {
            throw GraftError(
                .shape,
                "MultiHeadAttention was built for \(built.last) channels; it was given \(shape.batchDescription)")
        }
        let (steps, keys) = (shapes[0][0], shapes[1][0])
        try (Shape([numHeads, steps, keys])).checkSize()
        if let mask = arguments.input("attention_mask", of: inputShapes) {
            let whole: Shape = [numHeads, steps, keys]
            guard (2...3).contains(mask.rank), whole.broadcast(with: mask) == whole else {
                throw GraftError(
                    .shape,
                    "MultiHeadAttention: an attention mask of \(mask.batchDescription) does not fit; it must be (None, "
                        + "\(steps), \(keys)), or have 1 there for all alike")
            }
        }
        for (name, length) in [("query_mask", steps), ("value_mask", keys), ("key_mask", keys)] {
            guard let mask = arguments.input(name, of: inputShapes), mask != [length] else { continue }
            throw GraftError(
                .shape, "MultiHeadAttention: \(name) must be (None, \(length)), is \(mask.batchDescription)")
        }
        return [steps, outputWidths?[0] ?? shapes[0].last]
    }

    // MARK: Operations

    /// Four products of matrices for the projections, and two for each head.
    func attend(
        _ inputs: [ValueID], _ arguments: CallArguments, in context: inout LoweringContext
    ) throws(GraftError) -> ValueID {
        guard let query = arguments.input("query", of: inputs), let value = arguments.input("value", of: inputs) else {
            throw GraftError(.argument, "MultiHeadAttention takes a query and a value")
        }
        let key = arguments.input("key", of: inputs) ?? value
        // The factor is on the query, which is smaller than the scores of long texts.
        let asked = try context.graph.binary(
            .multiply, part("query").lower([query], in: &context), Float(1 / Double(keyDim).squareRoot()))
        let queries = try heads(asked, in: &context)
        let keys = try heads(part("key").lower([key], in: &context), in: &context)
        let values = try heads(part("value").lower([value], in: &context), in: &context)
        var scores = try context.graph.batchedMatrixProduct(queries, keys, transposeRight: true)
        let shape = context.graph.shape(of: scores)
        let given = try givenMask(inputs, arguments, in: &context)
        let mask = try joined(given, positionMask(shape, arguments, in: &context), in: &context)
        if let mask { scores = try context.graph.select(mask, scores, context.graph.constant(Self.unseen)) }
        let weights = try drop(context.graph.softmax(scores), factors: shape, rate: dropout, in: &context)
        var mixed = try context.graph.batchedMatrixProduct(weights, values)
        if dropout > 0, given != nil, let mask {
            // A position that sees nothing: Keras gives zeros where its layer has a dropout, else the mean of all values.
            let most = try context.graph.reduce(
                .maximum, context.graph.unary(.absolute, mask), axes: [3], keepDimensions: true)
            let sees = try context.graph.compare(most, .greater, context.graph.constant(0))
            mixed = try context.graph.binary(.multiply, mixed, sees)
        }
        mixed = try context.graph.permute(mixed, axes: [0, 2, 1, 3])
        if useGate {
            let gate = try context.graph.unary(.sigmoid, part("gate").lower([query], in: &context))
            mixed = try context.graph.binary(.multiply, mixed, gate)
        }
        return try part("attention_output").lower([mixed], in: &context)
    }

    /// The score of what is not seen, Keras's: far from any, and finite, so that a position that sees nothing gives a number.
    private static let unseen: Float = -1e9

    /// (batch, steps, heads, size) with the heads first.
    private func heads(_ value: ValueID, in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try context.graph.permute(value, axes: [0, 2, 1, 3])
    }

    /// What may be seen by the tensors that the call was given, as (batch, heads or 1, T or 1, S).
    private func givenMask(
        _ inputs: [ValueID], _ arguments: CallArguments, in context: inout LoweringContext
    ) throws(GraftError) -> ValueID? {
        var result: ValueID?
        for name in ["value_mask", "key_mask", "attention_mask"] {
            guard let mask = arguments.input(name, of: inputs) else { continue }
            var sizes = context.graph.shape(of: mask).dimensions
            while sizes.count < 4 { sizes.insert(1, at: 1) }
            let flags = try context.graph.reshape(context.graph.cast(mask, to: .float32), to: Shape(sizes))
            result = try joined(result, flags, in: &context)
        }
        return result
    }

    /// What positions see of one another whatever they hold, as (1, 1, T, S).
    private func positionMask(
        _ scores: Shape, _ arguments: CallArguments, in context: inout LoweringContext
    ) throws(GraftError) -> ValueID? {
        let isCausal = arguments.flags.contains(Self.causalFlag)
        guard isCausal || slidingWindow != nil else { return nil }
        func positions(_ shape: Shape) throws(GraftError) -> ValueID {
            try context.graph.constant(Tensor((0..<shape.elementCount).map(Float.init), shape: shape))
        }
        let (rows, columns) = (try positions([1, 1, scores[2], 1]), try positions([1, 1, 1, scores[3]]))
        let causal = isCausal ? try context.graph.compare(rows, .greaterOrEqual, columns) : nil
        guard let slidingWindow else { return causal }
        let distance = try context.graph.unary(.absolute, context.graph.binary(.subtract, rows, columns))
        let window = try context.graph.compare(
            distance, .less, context.graph.constant(Float(slidingWindow)))
        return try joined(causal, window, in: &context)
    }

    /// Not 0 where both are not.
    private func joined(
        _ left: ValueID?, _ right: ValueID?, in context: inout LoweringContext
    ) throws(GraftError) -> ValueID? {
        guard let left, let right else { return left ?? right }
        return try context.graph.binary(.multiply, left, right)
    }
}
