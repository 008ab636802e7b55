extension Graph {
    /// The graph with scales and shifts per channel that follow a convolution or matrix product worked into its kernel
    /// and a bias: `product(x, W) · s + b` becomes `product(x, W · s) + b`.
    ///
    /// This removes batch normalization with stored statistics. It is exact for trainable kernels, scales and shifts as
    /// well, since gradients flow through `W · s`; so it runs before differentiation. Scales and shifts have the shape
    /// [channels], that shape with axes of size 1 before it, or are scalars; they and the kernel depend on no input and
    /// no random numbers (batch normalization with a batch's own statistics stays), and nothing reads what lies between.
    public func foldingNormalization() throws(GraftError) -> Graph {
        let chains = AffineChains(self)
        var copy = GraphCopy(self)
        for value in values where !chains.isInside[value.index] {
            if let chain = chains.byLastValue[value] {
                try copy.replace(value, byFolding: chain)
            } else {
                try copy.copy(value)
            }
        }
        return try copy.finish()
    }
}

/// A product with the scales and shifts after it; values are those of the source graph.
private struct AffineChain {
    enum Step {
        case scale(ValueID)
        case shift(ValueID, negated: Bool)
    }

    let product: ValueID
    var steps: [Step] = []
    /// The values from the product to the last.
    var values: [ValueID]

    var hasScale: Bool {
        steps.contains { if case .scale = $0 { true } else { false } }
    }
}

/// The chains of a graph that have a scale to fold.
private struct AffineChains {
    private(set) var byLastValue: [ValueID: AffineChain] = [:]
    private(set) var isInside: [Bool]

    init(_ graph: Graph) {
        isInside = [Bool](repeating: false, count: graph.nodes.count)
        let useCounts = graph.useCounts
        let varies = graph.descends { $0.operation.isGivenByRun }
        var chains: [ValueID: AffineChain] = [:]
        for value in graph.values {
            let node = graph[value]
            switch node.operation {
            case .convolution, .product:
                guard node.operation.takesEpilogue else { continue }
                if !varies[node.operands[1].index] { chains[value] = AffineChain(product: value, values: [value]) }
            case .elementwise(.binary(let function)):
                guard let (last, step) = Self.step(function, node, graph, isEnd: { chains[$0] != nil }),
                    useCounts[last.index] == 1, graph[last].elementType == .float32, !varies[step.operand.index],
                    var chain = chains[last]
                else { continue }
                chain.steps.append(step)
                chain.values.append(value)
                chains[last] = nil
                chains[value] = chain
            default: break
            }
        }
        byLastValue = chains.filter { $0.value.hasScale }
        for chain in byLastValue.values {
            for value in chain.values.dropLast() { isInside[value.index] = true }
        }
    }

    /// The step that a node adds to a chain, and the chain's last value before it.
    private static func step(
        _ function: BinaryFunction, _ node: Graph.Node, _ graph: Graph, isEnd: (ValueID) -> Bool
    ) -> (last: ValueID, step: AffineChain.Step)? {
        let (left, right) = (node.operands[0], node.operands[1])
        for (last, other) in [(left, right), (right, left)] where isEnd(last) {
            guard graph.shape(of: last) == node.shape,
                graph.shape(of: other) == [] || graph.isChannelVector(other, of: node.shape)
            else { continue }
            switch function {
            case .multiply: return (last, .scale(other))
            case .add: return (last, .shift(other, negated: false))
            case .subtract where last == left: return (last, .shift(other, negated: true))
            default: continue
            }
        }
        return nil
    }
}

extension AffineChain.Step {
    fileprivate var operand: ValueID {
        switch self {
        case .scale(let value), .shift(let value, _): value
        }
    }
}

extension GraphCopy {
    /// Puts `product(x, W · scale) + shift` in the place of a chain, under the product's label.
    fileprivate mutating func replace(_ value: ValueID, byFolding chain: AffineChain) throws(GraftError) {
        let product = source[chain.product]
        result.currentLabel = product.label
        let (scale, shift) = try composed(chain, channels: product.shape.last)
        var folded = self[product.operands[1]]
        if let scale {
            folded = try result.binary(.multiply, folded, along(kernelOf: product, scale))
        }
        folded = try result.add(product.operation, [self[product.operands[0]], folded])
        if let shift {
            let bias = try result.broadcast(shift, to: [product.shape.last])
            folded = try result.binary(.add, folded, bias)
        }
        replace(value, by: folded)
    }

    /// All steps as one: `y · scale + shift`.
    private mutating func composed(
        _ chain: AffineChain, channels: Int
    ) throws(GraftError) -> (scale: ValueID?, shift: ValueID?) {
        var (scale, shift): (ValueID?, ValueID?)
        for step in chain.steps {
            let factor = try vector(self[step.operand], channels: channels)
            switch step {
            case .scale:
                scale = try combined(.multiply, scale, factor)
                if let old = shift { shift = try result.binary(.multiply, old, factor) }
            case .shift(_, let negated):
                shift = try combined(.add, shift, negated ? result.unary(.negate, factor) : factor)
            }
        }
        return (scale, shift)
    }

    private mutating func combined(
        _ function: BinaryFunction, _ left: ValueID?, _ right: ValueID
    ) throws(GraftError) -> ValueID {
        guard let left else { return right }
        return try result.binary(function, left, right)
    }

    /// A scale or shift as a vector of the channels; a scalar stays one.
    private mutating func vector(_ value: ValueID, channels: Int) throws(GraftError) -> ValueID {
        result.shape(of: value) == [] ? value : try result.reshape(value, to: [channels])
    }

    /// A scale shaped to broadcast along the kernel's output axis: the last, but for a matrix that is read transposed.
    private mutating func along(kernelOf product: Graph.Node, _ scale: ValueID) throws(GraftError) -> ValueID {
        guard case .product(let matrices) = product.operation, matrices.transposeRight else { return scale }
        return result.shape(of: scale) == [] ? scale : try result.reshape(scale, to: [product.shape.last, 1])
    }
}
