extension Graph {
    /// Dtype legalization: inserts casts around operations that a machine has no kernel for in their types. Those read float32
    /// copies of their operands, and their float32 result is rounded by a cast.
    ///
    /// The results stay the same, as every operation computes in float32 at least and rounds once; but for integers beyond 2²⁴,
    /// which float32 rounds.
    ///
    /// - Parameter hasKernel: whether there is a kernel for an operation with operands of these shapes and types, and a
    ///   result of the node's. It is called for nodes that read or produce another type than float32, except casts.
    public func legalizingTypes(
        unless hasKernel: (Node, [Shape], [ElementType]) -> Bool
    ) throws(GraftError) -> Graph {
        guard nodes.contains(where: { $0.elementType != .float32 }) else { return self }
        var copy = GraphCopy(self)
        for value in values {
            let node = self[value]
            let types = node.operands.map { self[$0].elementType }
            if node.keepsTypes(types) || hasKernel(node, node.operands.map(shape(of:)), types) {
                try copy.copy(value)
            } else {
                copy.result.currentLabel = node.label
                var operands: [ValueID] = []
                for operand in node.operands { try operands.append(copy.result.cast(copy[operand], to: .float32)) }
                let result = try copy.result.add(node.operation, operands)
                try copy.replace(value, by: copy.result.cast(result, to: node.elementType))
            }
        }
        return try copy.finish()
    }
}

extension Graph.Node {
    /// Whether it needs no kernel, or one for float32.
    fileprivate func keepsTypes(_ types: [ElementType]) -> Bool {
        switch operation.rule.typeRule {
        case .conversion(let type):
            // Between integers and bfloat16 stands float32.
            !(types + [type]).contains(.int32) || !(types + [type]).contains(.bfloat16)
        case .ofOperand, .stored, .given: true
        case .fixed: types.allSatisfy { $0 == .float32 }
        case .rounded: elementType == .float32 && types.allSatisfy { $0 == .float32 }
        }
    }
}
