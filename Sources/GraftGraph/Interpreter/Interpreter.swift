/// The reference backend: runs a graph in 64-bit floats with plain loops. Slow, and obviously right; other backends and
/// every pass are tested against it.
public enum Interpreter {
    /// What a run gives.
    public typealias Results = (outputs: [ReferenceArray], updates: [VariableID: ReferenceArray])

    /// Runs a graph once.
    ///
    /// - Parameters:
    ///   - graph: what is run.
    ///   - inputs: the graph's inputs by name.
    ///   - variables: the values of the variables it reads.
    ///   - randomKey: the key of this run's random numbers.
    /// - Returns: the outputs in the graph's order, and the next values of the variables that it updates.
    /// - Throws: ``GraftError`` where an input or a variable is missing or has another shape.
    public static func run(
        _ graph: Graph, inputs: [String: ReferenceArray] = [:], variables: [VariableID: ReferenceArray] = [:],
        randomKey: UInt64 = 0
    ) throws(GraftError) -> Results {
        let values = try values(of: graph, inputs: inputs, variables: variables, randomKey: randomKey)
        let updates = graph.updates.map { ($0.variable, values[$0.value.index]) }
        return (graph.outputs.map { values[$0.index] }, Dictionary(updates) { _, last in last })
    }

    /// The value of every node of a graph, in the order of the nodes.
    public static func values(
        of graph: Graph, inputs: [String: ReferenceArray] = [:], variables: [VariableID: ReferenceArray] = [:],
        randomKey: UInt64 = 0
    ) throws(GraftError) -> [ReferenceArray] {
        var values: [ReferenceArray] = []
        values.reserveCapacity(graph.nodes.count)
        for node in graph.nodes {
            let operands = node.operands.map { values[$0.index] }
            switch node.operation {
            case .leaf(.input(let name, let shape)):
                try values.append(given(inputs[name], shape, "the input '\(name)'").rounded(to: node.elementType))
            case .leaf(.variable(let id, let shape)):
                try values.append(given(variables[id], shape, "variable \(id.rawValue)"))
            case .random(let operation):
                values.append(operation.reference(key: randomKey, operands, result: node.shape))
            default:
                let result = result(of: node, operands)
                guard result.shape == node.shape else {
                    throw GraftError(
                        .argument,
                        "operation \(node.operation.name): its reference gives the shape \(result.shape), its shape "
                            + "rule \(node.shape)")
                }
                values.append(result.rounded(to: node.elementType))
            }
        }
        return values
    }

    private static func given(
        _ array: ReferenceArray?, _ shape: Shape, _ what: String
    ) throws(GraftError) -> ReferenceArray {
        guard let array else { throw GraftError(.argument, "\(what) of shape \(shape) was not given") }
        guard array.shape == shape else {
            throw GraftError(.shape, "\(what) was given with the shape \(array.shape), the graph needs \(shape)")
        }
        return array
    }

    /// What a node computes from its operands, before it is rounded; leaves that a run provides are not asked for.
    package static func result(of node: Graph.Node, _ operands: [ReferenceArray]) -> ReferenceArray {
        node.operation.rule.reference(operands, result: node.shape)
    }
}

extension ReferenceArray {
    /// The numbers of an element type that these become.
    fileprivate func rounded(to type: ElementType) -> ReferenceArray {
        type == .float32 ? self : ReferenceArray(values.map(type.rounded), shape: shape)
    }
}
