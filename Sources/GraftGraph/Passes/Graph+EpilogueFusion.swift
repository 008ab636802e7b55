extension Graph {
    /// The graph with biases, additions and activations done by the convolution or matrix product before them.
    ///
    /// A chain `activation(product + bias + addend)` becomes one operation with an ``Epilogue``, as long as nothing else,
    /// outputs and updates included, reads what lies inside the chain. A bias has the shape [channels] or is a reshape
    /// of that; an addend has the result's shape; where two products are added the later one takes the other. Of the
    /// activations it takes those in ``FusedActivation``; relu6 is found as `minimum(relu(x), 6)`.
    ///
    /// Runs after differentiation, whose rules do not know epilogues.
    public func fusingEpilogues() throws(GraftError) -> Graph {
        let chains = EpilogueChains(self)
        var copy = GraphCopy(self)
        for value in values where !chains.isInside[value.index] {
            if let chain = chains.byLastValue[value.index] {
                try copy.replace(value, by: chain)
            } else {
                try copy.copy(value)
            }
        }
        return try copy.finish()
    }
}

/// A product and what its epilogue does; values are those of the source graph.
private struct EpilogueChain {
    let product: ValueID
    var bias: ValueID?
    var addend: ValueID?
    var activation: FusedActivation?
}

/// All chains of a graph, found in one sweep.
private struct EpilogueChains {
    /// By value: the chain that ends there so far.
    private(set) var byLastValue: [EpilogueChain?]
    /// By value: whether it lies inside a chain and so vanishes.
    private(set) var isInside: [Bool]
    private let graph: Graph
    private let useCounts: [Int]

    init(_ graph: Graph) {
        self.graph = graph
        useCounts = graph.useCounts
        byLastValue = [EpilogueChain?](repeating: nil, count: graph.nodes.count)
        isInside = [Bool](repeating: false, count: graph.nodes.count)
        for value in graph.values { visit(value) }
    }

    private mutating func visit(_ value: ValueID) {
        let node = graph[value]
        switch node.operation {
        // A dense kernel's gradient (its left side transposed) is left to the elementwise operations of the update, with
        // which a backend can compute it piece by piece.
        case .product(let product) where product.transposeLeft: break
        case .convolution, .product:
            guard node.operation.takesEpilogue else { return }
            byLastValue[value.index] = EpilogueChain(product: value)
        case .elementwise(.unary(let function)):
            guard let activation = FusedActivation(function), var chain = openChain(node.operands[0]) else { return }
            chain.activation = activation
            extend(chain, from: node.operands[0], to: value)
        case .elementwise(.binary(.add)): visitAddition(value, node)
        case .elementwise(.binary(.minimum)): visitMinimum(value, node)
        default: break
        }
    }

    /// Tries the later operand first, so that where two products are added the earlier one is complete by then.
    private mutating func visitAddition(_ value: ValueID, _ node: Graph.Node) {
        let (left, right) = (node.operands[0], node.operands[1])
        for (operand, other) in left > right ? [(left, right), (right, left)] : [(right, left), (left, right)] {
            guard var chain = openChain(operand), graph.shape(of: operand) == node.shape else { continue }
            if chain.bias == nil, graph.isChannelVector(other, of: node.shape) {
                chain.bias = other
            } else if chain.addend == nil, graph.shape(of: other) == node.shape {
                chain.addend = other
            } else {
                continue
            }
            return extend(chain, from: operand, to: value)
        }
    }

    private mutating func visitMinimum(_ value: ValueID, _ node: Graph.Node) {
        for (operand, other) in [(node.operands[0], node.operands[1]), (node.operands[1], node.operands[0])] {
            guard var chain = byLastValue[operand.index], chain.activation == .relu, useCounts[operand.index] == 1,
                graph[operand].elementType == .float32, graph.scalarConstant(other) == 6
            else { continue }
            chain.activation = .relu6
            return extend(chain, from: operand, to: value)
        }
    }

    /// The chain that ends at a value and can continue: nothing else reads the value, and no activation is applied yet.
    private func openChain(_ value: ValueID) -> EpilogueChain? {
        guard let chain = byLastValue[value.index], chain.activation == nil, useCounts[value.index] == 1,
            graph[value].elementType == .float32
        else { return nil }
        return chain
    }

    private mutating func extend(_ chain: EpilogueChain, from last: ValueID, to value: ValueID) {
        byLastValue[value.index] = chain
        isInside[last.index] = true
    }
}

extension GraphCopy {
    /// Puts a chain in the place of its last value, under the product's label.
    fileprivate mutating func replace(_ value: ValueID, by chain: EpilogueChain) throws(GraftError) {
        let product = source[chain.product]
        result.currentLabel = product.label
        var operands = product.operands.map { self[$0] }
        if let bias = chain.bias { try operands.append(result.reshape(self[bias], to: [product.shape.last])) }
        if let addend = chain.addend { operands.append(self[addend]) }
        let epilogue = Epilogue(
            bias: chain.bias != nil, addend: chain.addend != nil, activation: chain.activation)
        let type = source[value].elementType
        try replace(value, by: result.add(product.operation.with(epilogue), operands, as: type))
    }
}

extension Operation {
    /// Whether it is a convolution or a matrix product that has no epilogue yet.
    var takesEpilogue: Bool {
        switch self {
        case .convolution(.forward(_, let epilogue)): epilogue == .none
        case .product(let product): product.epilogue == .none
        default: false
        }
    }

    /// A product with another epilogue; any other operation as it is.
    fileprivate func with(_ epilogue: Epilogue) -> Operation {
        switch self {
        case .convolution(.forward(let convolution, _)): .convolution(.forward(convolution, epilogue))
        case .product(let product):
            .product(
                MatrixProduct(
                    transposeLeft: product.transposeLeft, transposeRight: product.transposeRight, epilogue))
        default: self
        }
    }
}

extension FusedActivation {
    fileprivate init?(_ function: UnaryFunction) {
        switch function {
        case .relu: self = .relu
        case .sigmoid: self = .sigmoid
        case .tanh: self = .tanh
        default: return nil
        }
    }
}

extension Graph {
    /// Whether a value holds one number a channel of a result of this shape and is broadcast over all other axes.
    func isChannelVector(_ value: ValueID, of result: Shape) -> Bool {
        let shape = shape(of: value)
        return (1...max(result.rank, 1)).contains(shape.rank) && shape.last == result.last
            && shape.dimensions.dropLast().allSatisfy { $0 == 1 }
    }
}
