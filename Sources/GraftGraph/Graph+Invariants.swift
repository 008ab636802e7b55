/// What every graph promises, checked: by passes in debug builds, by backends before they plan.
extension Graph {
    /// Checks that operands come before their uses, that shapes are those of the shape rules, that each input and each
    /// variable has one shape and one element type, that outputs and updates name values of the graph that fit, that
    /// updates are of their variables' types, and outputs float32.
    ///
    /// - Throws: ``GraftError`` that names the first node that breaks a promise.
    /// - Complexity: linear in the number of nodes.
    public func validate() throws(GraftError) {
        var inputs: [String: Node] = [:]
        var variables: [VariableID: Node] = [:]
        for (index, node) in nodes.enumerated() {
            try check(node, at: index)
            switch node.operation {
            case .leaf(.input(let name, let shape)):
                try Self.check(inputs.updateValue(node, forKey: name), node, shape, "the input '\(name)'")
            case .leaf(.variable(let id, let shape)):
                try Self.check(variables.updateValue(node, forKey: id), node, shape, "variable \(id.rawValue)")
            default: break
            }
        }
        guard (outputs + updates.map(\.value)).allSatisfy({ nodes.indices.contains($0.index) }) else {
            throw GraftError(.argument, "an output or update of the graph is not among its \(nodes.count) values")
        }
        try checkUpdates(of: variables)
        if let narrow = outputs.first(where: { self[$0].elementType != .float32 }) {
            throw GraftError(
                .argument,
                "an output of the graph, value \(narrow.index) (\(self[narrow].operation.name)), is of "
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

    private static func check(_ other: Node?, _ node: Node, _ shape: Shape, _ what: String) throws(GraftError) {
        guard let other else { return }
        guard other.shape == shape else {
            throw GraftError(.shape, "\(what) is used with two shapes, \(other.shape) and \(shape)")
        }
        guard other.elementType == node.elementType else {
            throw GraftError(.argument, "\(what) is used with two element types")
        }
    }

    private func checkUpdates(of variables: [VariableID: Node]) throws(GraftError) {
        var updated: Set<VariableID> = []
        for update in updates {
            let id = update.variable.rawValue
            guard updated.insert(update.variable).inserted else {
                throw GraftError(.argument, "variable \(id) is updated twice")
            }
            guard let variable = variables[update.variable] else { continue }
            let value = self[update.value]
            guard variable.shape == value.shape else {
                throw GraftError(
                    .shape, "the update of variable \(id) has the shape \(value.shape), not the variable's")
            }
            guard variable.elementType == value.elementType else {
                throw GraftError(
                    .argument,
                    "the update of variable \(id), value \(update.value.index) (\(value.operation.name)), is of "
                        + "\(value.elementType.rawValue), the variable of \(variable.elementType.rawValue); cast or "
                        + "round it")
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
