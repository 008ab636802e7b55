extension Graph {
    /// The graph without the nodes that no output and no update needs.
    ///
    /// Inputs that nothing reads go as well. A frozen variable's gradient is never asked for, so freezing is this pass.
    public func pruned() throws(GraftError) -> Graph {
        let isLive = liveness
        guard isLive.contains(false) else { return self }
        var images = [ValueID](repeating: ValueID(index: 0), count: nodes.count)
        var result = Graph()
        for (index, node) in nodes.enumerated() where isLive[index] {
            result.currentLabel = node.label
            images[index] = try result.add(node.operation, node.operands.map { images[$0.index] }, as: node.elementType)
        }
        result.currentLabel = currentLabel
        result.outputs = outputs.map { images[$0.index] }
        result.updates = updates.map { Update(variable: $0.variable, value: images[$0.value.index]) }
        return result.verified()
    }
}
