import GraftCPU
import GraftTestSupport
import Testing

/// Gradients of convolutions' inputs, which are convolutions with a turned kernel where oneDNN is fastest so.
@Suite struct InputGradientTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        /// Height and width.
        var kernel: [Int]
        var channels = (input: 32, output: 48)
        var convolution: Convolution
        var testDescription: String { name }
    }

    static let cases = [
        Case(name: "1 × 7", kernel: [1, 7], convolution: Convolution(padding: EdgePadding(left: 3, right: 3))),
        Case(
            name: "7 × 1, channels that fill no vectors", kernel: [7, 1], channels: (37, 50),
            convolution: Convolution(padding: EdgePadding(top: 3, bottom: 3))),
        Case(
            name: "3 × 2, uneven padding", kernel: [3, 2],
            convolution: Convolution(padding: EdgePadding(top: 0, bottom: 2, left: 1, right: 0))),
        Case(
            name: "3 × 3, dilated", kernel: [3, 3], channels: (16, 64),
            convolution: Convolution(
                dilation: Size2D(2, 1), padding: EdgePadding(top: 3, bottom: 2, left: 2, right: 1))),
        Case(name: "3 × 3, unpadded", kernel: [3, 3], convolution: Convolution()),
        Case(
            name: "more padding than the kernel covers", kernel: [2, 2],
            convolution: Convolution(padding: EdgePadding(top: 2, bottom: 1, left: 1, right: 3))),
        Case(
            name: "in steps of two", kernel: [3, 3],
            convolution: Convolution(strides: Size2D(2), padding: EdgePadding(top: 1, bottom: 1, left: 1, right: 1))),
    ]

    /// Once with a kernel that is turned when variables are bound, once with one that each run changes.
    @Test(arguments: cases, [false, true])
    func agreeWithTheInterpreter(_ one: Case, changes: Bool) throws {
        var graph = Graph()
        let x = try graph.input("x", [2, 9, 8, one.channels.input])
        let w = try graph.variable(VariableID(0), Shape(one.kernel + [one.channels.input, one.channels.output]))
        let result = try graph.convolution(x, kernel: w, one.convolution)
        let y = try graph.input("y", graph.shape(of: result))
        let loss = try graph.reduce(.sum, graph.binary(.multiply, result, y))
        graph.outputs = try graph.gradients(of: loss, withRespectTo: [x])
        if changes {
            graph.updates = [.init(variable: VariableID(0), value: try graph.binary(.multiply, w, graph.constant(2)))]
        }
        var random = SplitMix(seed: 12)
        let inputs = ["x": random.array(graph.shape(of: x)), "y": random.array(graph.shape(of: y))]
        let variables = [VariableID(0): random.array(graph.shape(of: w))]
        let expected = try Interpreter.run(graph, inputs: inputs, variables: variables, randomKey: 0)
        let plan = try CPUPlan(graph, options: CPUOptions(threads: 2))
        try plan.bind(variables.mapValues(\.tensor))
        let actual = try plan.run(inputs.mapValues(\.tensor))
        // Sums of up to 576 products of numbers near 1, rounded one by one.
        expectClose(ReferenceArray(actual[0]), expected.outputs[0], tolerance: 1e-5)
    }
}
