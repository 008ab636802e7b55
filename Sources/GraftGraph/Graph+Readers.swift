extension Graph {
    /// The matrix products whose left operand a value is, reshaped before at most; `nil` where anything else reads it, or where it
    /// is an output. Such a value may be given as rows compressed by a bitmap.
    package func productsMultiplying(_ value: ValueID) -> [ValueID]? {
        guard !outputs.contains(value) else { return nil }
        var products: [ValueID] = []
        for (index, node) in nodes.enumerated() where node.operands.contains(value) {
            let reader = ValueID(index: index)
            switch node.operation {
            case .movement(.reshape):
                guard let behind = productsMultiplying(reader) else { return nil }
                products += behind
            case .product where node.operands[0] == value && !node.operands.dropFirst().contains(value):
                products.append(reader)
            default: return nil
            }
        }
        return products
    }
}
