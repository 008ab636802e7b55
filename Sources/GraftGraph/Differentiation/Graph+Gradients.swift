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
    /// - Throws: ``GraftError`` where the loss is no scalar, or stands behind an operation without a gradient: one that
    ///   is already fused, or the gradient of max pooling.
    /// - Complexity: linear in the number of nodes.
    public mutating func gradients(
        of loss: ValueID, withRespectTo values: [ValueID]
    ) throws(GraftError) -> [ValueID] {
        guard nodes.indices.contains(loss.index), values.allSatisfy({ nodes.indices.contains($0.index) }) else {
            throw GraftError(.argument, "gradients: the loss or a value is not among the graph's \(nodes.count) values")
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

    /// Which of the values up to `last` depend on one of `values`, each on itself included.
    private func dependents(on values: [ValueID], upTo last: ValueID) -> [Bool] {
        var depends = [Bool](repeating: false, count: last.index + 1)
        for value in values where value <= last { depends[value.index] = true }
        for index in depends.indices where !depends[index] {
            depends[index] = nodes[index].operands.contains { depends[$0.index] }
        }
        return depends
    }

    /// Hands a node's gradient on to what it reads.
    private mutating func propagate(_ step: BackwardStep, into pass: inout BackwardPass) throws(GraftError) {
        switch step.node.operation {
        case .input, .variable, .constant, .randomUniform: break
        case .convolution, .convolutionInputGradient, .convolutionKernelGradient, .matrixProduct:
            try propagateProduct(step, into: &pass)
        case .maxPooling, .maxPoolingGradient, .averagePooling, .averagePoolingGradient:
            try propagatePooling(step, into: &pass)
        case .unary(let function): try propagateUnary(function, step, into: &pass)
        case .binary(let function): try propagateBinary(function, step, into: &pass)
        case .select: try propagateSelect(step, into: &pass)
        case .elementwise: throw step.refusal("is already fused; differentiate before fusing")
        case .reduction(let function, _): try propagateReduction(function, step, into: &pass)
        case .softmax, .logSoftmax: try propagateSoftmax(step, into: &pass)
        case .cast, .stochasticRounding, .broadcast, .reshape, .pad, .slice, .concatenation:
            try propagateShape(step, into: &pass)
        }
    }
}

/// A node whose gradient is known.
struct BackwardStep {
    let value: ValueID
    let node: Graph.Node
    let gradient: ValueID

    func operand(_ position: Int) -> ValueID { node.operands[position] }

    func refusal(_ why: String) -> GraftError {
        GraftError(.argument, "gradients: the operation \(node.operation.name) \(why)")
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
