extension Graph {
    /// The graph with convolutions, and the activations between them, in bfloat16.
    ///
    /// - **Convolutions and their gradients** read bfloat16 and sum in 32 bits; kernels are cast, after folding, so that
    ///   each is rounded once. A kernel's gradient stays in 32 bits.
    /// - **Activations** (images of rank 4 that differ from run to run) are bfloat16 from the first value that only
    ///   convolutions read to the last one: pooling, concatenations, paddings, slices and elementwise operations between
    ///   convolutions read and write half the bytes.
    /// - **Everything else stays in 32 bits**: matrix products, reductions, softmax, losses, the statistics of
    ///   normalization, and all updates of variables, whose small steps 8 bits of precision would lose. Where an operation
    ///   can round its own result there is no cast: there are casts only before convolutions and outputs.
    ///
    /// Runs as the last pass, on fused operations. For ``ElementType/float32`` the graph stays as it is.
    ///
    /// - Throws: ``GraftError`` with code `argument` for ``ElementType/int32``.
    public func choosingPrecision(_ precision: ElementType) throws(GraftError) -> Graph {
        guard precision != .float32 else { return self }
        guard precision != .int32 else {
            throw GraftError(.argument, "a graph cannot compute in int32; choose float32 or bfloat16")
        }
        let choice = PrecisionChoice(self, narrow: precision)
        var copy = GraphCopy(self)
        for value in values {
            let node = self[value]
            copy.result.currentLabel = node.label
            var operands: [ValueID] = []
            for (position, operand) in node.operands.enumerated() {
                let type = choice.type(ofOperand: position, of: value)
                try operands.append(copy.result.cast(copy[operand], to: type ?? choice.types[operand.index]))
            }
            try copy.replace(value, by: copy.result.add(node.operation, operands, as: choice.types[value.index]))
        }
        for root in Set(roots) {
            try copy.replace(root, by: copy.result.cast(copy[root], to: self[root].elementType))
        }
        return try copy.finish()
    }
}

/// The element type of each value of a graph.
private struct PrecisionChoice {
    /// By value.
    private(set) var types: [ElementType]
    private let graph: Graph
    private let narrow: ElementType

    init(_ graph: Graph, narrow: ElementType) {
        (self.graph, self.narrow) = (graph, narrow)
        types = graph.nodes.map(\.elementType)
        let varies = graph.descends { $0.operation.isGivenByRun }
        let (consumers, isRoot) = (graph.consumers, Set(graph.roots))
        let isWanted = wantedValues(consumers)
        for value in graph.values where varies[value.index] {
            let node = graph[value]
            let rule = node.operation.rule.precision
            if rule == .view { types[value.index] = types[node.operands[0].index] }
            guard node.shape.rank == 4, node.elementType == .float32 else { continue }
            let readsNarrow = node.operands.contains { types[$0.index] == narrow }
            let isNarrow: Bool =
                switch rule {
                case .convolution(let rounds): rounds && isWanted[value.index] && !isRoot.contains(value)
                case .anyOperand: readsNarrow
                case .firstOperand: types[node.operands[0].index] == narrow
                case .elementwise:
                    !isRoot.contains(value) && isWanted[value.index]
                        && (readsNarrow || consumers[value.index].allSatisfy { graph[$0].operation.isConvolution })
                case .full, .view: false
                }
            if isNarrow { types[value.index] = narrow }
        }
    }

    /// By value: whether a convolution reads it, perhaps by way of what only moves or changes elements.
    private func wantedValues(_ consumers: [[ValueID]]) -> [Bool] {
        var isWanted = [Bool](repeating: false, count: graph.nodes.count)
        for value in graph.values.reversed() {
            isWanted[value.index] = consumers[value.index].contains { consumer in
                switch graph[consumer].operation.rule.precision {
                case .convolution: true
                case .anyOperand, .firstOperand, .elementwise, .view: isWanted[consumer.index]
                case .full: false
                }
            }
        }
        return isWanted
    }

    /// What a convolution needs of an operand; `nil` for other operations, which take what there is.
    func type(ofOperand position: Int, of value: ValueID) -> ElementType? {
        let node = graph[value]
        guard node.operation.isConvolution else { return nil }
        if position < 2 { return narrow }
        // An addend lies where the result will.
        let isAddend = position == node.operands.count - 1 && graph.shape(of: node.operands[position]) == node.shape
        return isAddend ? types[value.index] : .float32
    }
}

extension Operation {
    fileprivate var isConvolution: Bool { if case .convolution = self { true } else { false } }
}
