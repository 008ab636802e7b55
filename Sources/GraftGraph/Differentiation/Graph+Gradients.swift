extension Graph {
    /// Adds the gradients of a scalar with respect to some values: reverse mode, graph to graph.
    ///
    /// Only what these gradients need is emitted, so a frozen variable costs nothing. Rules use a function's result in
    /// place of its operand where they can (relu, sigmoid, √x, …), so that later passes may fuse the operand away.
    /// Where a function has a kink, the gradient is TensorFlow's: relu and relu6 pass nothing at the kink,
    /// maximum and minimum pass all to the left operand at a tie, a maximum over axes shares among equals, and a
    /// maximum over a window passes all to the first.
    ///
    /// Source: A. Griewank and A. Walther, "Evaluating Derivatives", 2nd edition, SIAM 2008, chapter 3.
    ///
    /// - Parameters:
    ///   - loss: a value of shape `[]`.
    ///   - values: what to differentiate by: variables, inputs or anything between.
    /// - Returns: one gradient a value, of the value's shape; zeros where the loss does not depend on it.
    /// - Throws: ``GraftError`` where the loss is no scalar or one of the values is of integers, or it comes after an operation without a gradient: one that
    ///   is already fused, or the gradient of max pooling.
    /// - Complexity: linear in the number of nodes.
    public mutating func gradients(
        of loss: ValueID, withRespectTo values: [ValueID]
    ) throws(GraftError) -> [ValueID] {
        guard nodes.indices.contains(loss.index), values.allSatisfy({ nodes.indices.contains($0.index) }) else {
            throw GraftError(.argument, "gradients: the loss or a value is not among the graph's \(nodes.count) values")
        }
        if let integers = values.first(where: { self[$0].elementType == .int32 }) {
            throw GraftError(
                .argument,
                "gradients: value \(integers.index) (\(self[integers].operation.name)) is of integers, which have no gradient"
            )
        }
        guard shape(of: loss) == [] else {
            throw GraftError(
                .shape, "gradients: the loss must be a scalar, of shape (), its shape is \(shape(of: loss))")
        }
        var pass = BackwardPass(isActive: dependents(on: values, upTo: loss))
        let label = currentLabel
        defer { currentLabel = label }
        try pass.contribute(constant(1), to: loss, in: &self)
        for index in stride(from: loss.index, through: 0, by: -1) {
            guard let gradient = pass.gradients[index] else { continue }
            let value = ValueID(index: index)
            currentLabel = self[value].label
            try propagate(BackwardStep(value: value, node: self[value], gradient: gradient), into: &pass)
        }
        var results: [ValueID] = []
        for value in values {
            if value <= loss, let gradient = pass.gradients[value.index] {
                results.append(gradient)
            } else {
                try results.append(broadcast(constant(0), to: shape(of: value)))
            }
        }
        return results
    }

    /// Which of the values up to `last` depend on one of `values`, each on itself included. Integers are steps: what is cast to
    /// them passes no gradient on.
    private func dependents(on values: [ValueID], upTo last: ValueID) -> [Bool] {
        var depends = [Bool](repeating: false, count: last.index + 1)
        for value in values where value <= last { depends[value.index] = true }
        for index in depends.indices where !depends[index] && nodes[index].elementType != .int32 {
            depends[index] = nodes[index].operands.contains { depends[$0.index] }
        }
        return depends
    }

    /// Hands a node's gradient on to what it reads, one operand after the other.
    private mutating func propagate(_ step: BackwardStep, into pass: inout BackwardPass) throws(GraftError) {
        if let (x, gradient) = try cappedRectifierGradient(step) {
            return try pass.contribute(gradient, to: x, in: &self)
        }
        let rule = step.node.operation.rule
        for (position, operand) in step.node.operands.enumerated() where pass.wants(operand) {
            guard let gradient = try rule.gradient(ofOperand: position, step, in: &self) else { continue }
            guard shape(of: gradient) == shape(of: operand) else {
                throw step.refusal(
                    "gives a gradient of shape \(shape(of: gradient)) for an operand of shape \(shape(of: operand))")
            }
            try pass.contribute(gradient, to: operand, in: &self)
        }
    }
}

/// What gradients are made of.
extension Graph {
    /// A value times a number; a constant is multiplied at once.
    mutating func scaled(_ value: ValueID, by factor: Float) throws(GraftError) -> ValueID {
        if factor == 1 { return value }
        if let constant = scalarConstant(value) { return try self.constant(constant * factor) }
        return try binary(.multiply, value, factor)
    }

    /// A gradient summed over the axes along which an operand of this shape was repeated.
    mutating func reduced(_ gradient: ValueID, to shape: Shape) throws(GraftError) -> ValueID {
        let from = self.shape(of: gradient)
        let missing = from.rank - shape.rank
        let axes = (0..<from.rank).filter { $0 < missing || (shape[$0 - missing] == 1 && from[$0] != 1) }
        return try reshape(reduce(.sum, gradient, axes: axes, keepDimensions: true), to: shape)
    }
}

/// The gradients gathered so far.
struct BackwardPass {
    /// By value: its gradient, the sum of all contributions so far.
    private(set) var gradients: [ValueID?]
    private let isActive: [Bool]

    init(isActive: [Bool]) {
        self.isActive = isActive
        gradients = [ValueID?](repeating: nil, count: isActive.count)
    }

    /// Whether a value leads to one that is differentiated by.
    func wants(_ value: ValueID) -> Bool { isActive[value.index] }

    /// Adds to a value's gradient what came through one of its uses.
    mutating func contribute(_ gradient: ValueID, to value: ValueID, in graph: inout Graph) throws(GraftError) {
        guard wants(value) else { return }
        if let sum = gradients[value.index] {
            gradients[value.index] = try graph.binary(.add, sum, gradient)
        } else {
            gradients[value.index] = gradient
        }
    }
}
