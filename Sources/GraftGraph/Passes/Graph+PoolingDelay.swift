extension Graph {
    /// The graph with average pooling done after the 1 × 1 convolution that follows it, where that makes fewer channels:
    /// `relu(conv(pool(x)) + b)` becomes `relu(pool(conv(x) + b))`.
    ///
    /// Both are the same in real numbers. A convolution that looks at one pixel at a time mixes channels, pooling mixes
    /// pixels; and as the weights of a window add up to one, whatever it covers of the padding, the bias passes through it.
    /// Only what keeps the number of pixels is exchanged, and nothing else may read what lies between.
    ///
    /// Runs after differentiation and after epilogues were fused.
    public func delayingPooling() throws(GraftError) -> Graph {
        let useCounts = useCounts
        var copy = GraphCopy(self)
        for value in values {
            guard let delay = PoolingDelay(self, value, useCounts) else {
                try copy.copy(value)
                continue
            }
            copy.result.currentLabel = self[value].label
            let operands = [copy[delay.input]] + self[value].operands.dropFirst().map { copy[$0] }
            let product = try copy.result.add(
                .convolution(.forward(delay.convolution, Epilogue(bias: delay.hasBias))), operands)
            copy.result.currentLabel = self[self[value].operands[0]].label
            let pooled = try copy.result.averagePool(product, delay.window)
            copy.replace(value, by: delay.hasRelu ? try copy.result.unary(.relu, pooled) : pooled)
        }
        return try copy.finish()
    }
}

/// A convolution whose input is pooled first and can be pooled afterwards.
private struct PoolingDelay {
    let input: ValueID
    let window: Window
    let convolution: Convolution
    let hasBias: Bool
    let hasRelu: Bool

    init?(_ graph: Graph, _ value: ValueID, _ useCounts: [Int]) {
        let node = graph[value]
        guard case .convolution(.forward(let convolution, let epilogue)) = node.operation,
            case .pooling(.averagePooling(let window)) = graph[node.operands[0]].operation,
            useCounts[node.operands[0].index] == 1,
            !epilogue.addend, epilogue.activation == nil || epilogue.activation == .relu
        else { return nil }
        let (kernel, input) = (graph.shape(of: node.operands[1]), graph[node.operands[0]].operands[0])
        let shape = graph.shape(of: input)
        guard kernel[0] == 1, kernel[1] == 1, convolution == Convolution(dilation: convolution.dilation),
            shape[1] == node.shape[1], shape[2] == node.shape[2], kernel[3] < shape[3],
            graph[value].elementType == .float32, graph[node.operands[0]].elementType == .float32
        else { return nil }
        (self.input, self.window, self.convolution) = (input, window, convolution)
        (hasBias, hasRelu) = (epilogue.bias, epilogue.activation == .relu)
    }
}
