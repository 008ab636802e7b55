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
            switch node.operation {
            case .input(let name, let shape): try values.append(given(inputs[name], shape, "the input '\(name)'"))
            case .variable(let id, let shape):
                try values.append(given(variables[id], shape, "variable \(id.rawValue)"))
            case .randomUniform(let stream, let shape):
                let stream = RandomStream(key: randomKey, stream: stream)
                values.append(
                    ReferenceArray((0..<shape.elementCount).map { Double(stream.uniform(at: $0)) }, shape: shape))
            case .stochasticRounding(let stream):
                values.append(
                    StochasticRounding(key: randomKey, stream: stream).applied(to: values[node.operands[0].index]))
            default:
                var result = result(of: node, node.operands.map { values[$0.index] })
                if node.elementType != .float32 { result.values = result.values.map(node.elementType.rounded) }
                values.append(result)
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
        if let program = node.operation.elementwiseProgram {
            return elementwise(program, operands, result: node.shape)
        }
        return switch node.operation {
        case .input, .variable, .randomUniform, .unary, .binary, .select, .elementwise:
            ReferenceArray(shape: node.shape)
        case .constant(let tensor): ReferenceArray(tensor)
        case .convolution(let convolution, let epilogue):
            epilogue.applied(
                to: convolution.forward(operands[0], operands[1], result: node.shape), operands.dropFirst(2))
        case .convolutionInputGradient(let convolution, let input):
            convolution.inputGradient(operands[0], operands[1], input: input)
        case .convolutionKernelGradient(let convolution, let kernel):
            convolution.kernelGradient(operands[0], operands[1], kernel: kernel)
        case .matrixProduct(let transposeLeft, let transposeRight, let epilogue):
            epilogue.applied(
                to: matrixProduct(operands[0], operands[1], transposeLeft, transposeRight, result: node.shape),
                operands.dropFirst(2))
        case .maxPooling(let window): window.maximum(operands[0], result: node.shape)
        case .maxPoolingGradient(let window): window.maximumGradient(operands[0], operands[1])
        case .averagePooling(let window): window.average(operands[0], result: node.shape)
        case .averagePoolingGradient(let window, let input): window.averageGradient(operands[0], input: input)
        case .reduction(let function, _): function.applied(to: operands[0], result: node.shape)
        case .cast, .stochasticRounding: operands[0]
        case .broadcast(let shape): operands[0].broadcast(to: shape)
        case .reshape(let shape): operands[0].reshaped(to: shape)
        case .pad(let before, _): padded(operands[0], before: before, result: node.shape)
        case .slice(let start, let shape): sliced(operands[0], start: start, shape)
        case .concatenation(let axis): concatenated(operands, axis: axis, result: node.shape)
        case .softmax: softmax(operands[0], logarithm: false)
        case .logSoftmax: softmax(operands[0], logarithm: true)
        }
    }
}
