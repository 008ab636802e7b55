import GraftGraph

extension Graph {
    /// The graph with leaves rounded to bfloat16 before they are used, and the types that `type` gives the other nodes;
    /// outputs and updates are cast back.
    package func withTypes(_ type: (Node) -> ElementType) throws -> Graph {
        var result = Graph()
        var images: [ValueID] = []
        for node in nodes {
            let own = try result.add(
                node.operation, node.operands.map { images[$0.index] }, as: node.isTyped ? nil : type(node))
            try images.append(node.operation.isLeaf ? result.cast(own, to: .bfloat16) : own)
        }
        result.outputs = try outputs.map { try result.cast(images[$0.index], to: .float32) }
        result.updates = try updates.map {
            try Update(variable: $0.variable, value: result.cast(images[$0.value.index], to: .float32))
        }
        return result
    }
}

extension Graph.Node {
    /// Whether its type follows from the operation.
    fileprivate var isTyped: Bool {
        switch operation.rule.typeRule {
        case .conversion, .ofOperand: true
        default: operation.isLeaf
        }
    }
}
