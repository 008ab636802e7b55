/// What every graph promises, checked: by passes in debug builds, by backends before they plan.
extension Graph {
    /// Checks that operands stand before their uses, that shapes are those of the shape rules, that each input and each
    /// variable has one shape, that outputs and updates name values of the graph that fit, and that those and leaves are
    /// 32-bit numbers.
    ///
    /// - Throws: ``GraftError`` that names the first node that breaks a promise.
    /// - Complexity: linear in the number of nodes.
    public func validate() throws(GraftError) {
        var inputs: [String: Shape] = [:]
        var variables: [VariableID: Shape] = [:]
        for (index, node) in nodes.enumerated() {
            try check(node, at: index)
            switch node.operation {
            case .input(let name, let shape):
                try Self.check(inputs.updateValue(shape, forKey: name), shape, "the input '\(name)'")
            case .variable(let id, let shape):
                try Self.check(variables.updateValue(shape, forKey: id), shape, "variable \(id.rawValue)")
            default: break
            }
        }
        guard (outputs + updates.map(\.value)).allSatisfy({ nodes.indices.contains($0.index) }) else {
            throw GraftError(.argument, "an output or update of the graph is not among its \(nodes.count) values")
        }
        try checkUpdates(of: variables)
        if let narrow = roots.first(where: { self[$0].elementType != .float32 }) {
            throw GraftError(
                .argument,
                "an output or update of the graph, value \(narrow.index) (\(self[narrow].operation.name)), is of "
                    + "\(self[narrow].elementType.rawValue); cast it to float32")
        }
    }

    private func check(_ node: Node, at index: Int) throws(GraftError) {
        guard node.operands.allSatisfy({ (0..<index).contains($0.index) }) else {
            throw GraftError(.argument, "value \(index) (\(node.operation.name)) reads a value that comes after it")
        }
        let expected = try node.operation.resultShape(node.operands.map(shape(of:)))
        guard node.shape == expected else {
            throw GraftError(
                .shape, "value \(index) (\(node.operation.name)) has the shape \(node.shape) in place of \(expected)")
        }
        _ = try node.operation.resultType(
            wanted: node.elementType, operands: node.operands.map { self[$0].elementType })
    }

    private static func check(_ other: Shape?, _ shape: Shape, _ what: String) throws(GraftError) {
        guard other == nil || other == shape else {
            throw GraftError(.shape, "\(what) is used with two shapes, \(other ?? shape) and \(shape)")
        }
    }

    private func checkUpdates(of variables: [VariableID: Shape]) throws(GraftError) {
        var updated: Set<VariableID> = []
        for update in updates {
            let id = update.variable.rawValue
            guard updated.insert(update.variable).inserted else {
                throw GraftError(.argument, "variable \(id) is updated twice")
            }
            let shape = shape(of: update.value)
            guard variables[update.variable].map({ $0 == shape }) ?? true else {
                throw GraftError(.shape, "the update of variable \(id) has the shape \(shape), not the variable's")
            }
        }
    }

    /// The graph itself, after a check in debug builds that a pass kept every promise.
    func verified(after pass: StaticString = #function) -> Graph {
        assert(violation == nil, "\(pass) broke the graph: \(violation ?? "")")
        return self
    }

    private var violation: String? {
        do {
            try validate()
            return nil
        } catch { return error.message }
    }
}
