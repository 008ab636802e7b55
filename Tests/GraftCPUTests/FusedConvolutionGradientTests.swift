import CKernels
import GraftTestSupport
import Testing

@testable import GraftCPU

/// Kernel gradients of convolutions that are updated while they are computed.
@Suite struct FusedConvolutionGradientTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        var batch = 2
        var size = (height: 7, width: 7)
        var channels = (input: 32, output: 64)
        var kernel: (height: Int, width: Int)
        var convolution = Convolution()
        var isScaled = true
        var testDescription: String { name }
    }

    /// Channels and columns around tiles of 8 × 32, and every way in which a window may leave the image.
    static let cases = [
        Case(name: "1 × 1", kernel: (1, 1)),
        Case(name: "1 × 1 in steps of two", kernel: (1, 1), convolution: Convolution(strides: Size2D(2))),
        Case(
            name: "1 × 7", batch: 3, channels: (37, 96), kernel: (1, 7),
            convolution: Convolution(padding: EdgePadding(left: 3, right: 3))),
        Case(
            name: "7 × 1, one example", batch: 1, channels: (40, 65), kernel: (7, 1),
            convolution: Convolution(padding: EdgePadding(top: 3, bottom: 3))),
        Case(
            name: "3 × 3 in steps of two, uneven padding", size: (8, 5), channels: (33, 81), kernel: (3, 3),
            convolution: Convolution(strides: Size2D(2), padding: EdgePadding(top: 0, bottom: 1, left: 1, right: 1))
        ),
        Case(
            name: "3 × 2 dilated", size: (9, 8), channels: (32, 112), kernel: (3, 2),
            convolution: Convolution(
                strides: Size2D(1, 3), dilation: Size2D(2, 3),
                padding: EdgePadding(top: 2, bottom: 2, left: 1, right: 2)), isScaled: false),
        Case(
            name: "5 × 5 on an image of 2 × 3", size: (2, 3), channels: (48, 64), kernel: (5, 5),
            convolution: Convolution(padding: EdgePadding(top: 2, bottom: 2, left: 2, right: 2)), isScaled: false),
    ]

    /// RMSprop on the kernel of `sum(convolution(x, w · s) ⊙ y)`.
    static func graph(_ one: Case) throws -> Graph {
        var graph = Graph()
        let shape: Shape = [one.kernel.height, one.kernel.width, one.channels.input, one.channels.output]
        let x = try graph.input("x", [one.batch, one.size.height, one.size.width, one.channels.input])
        let (w, v) = (try graph.variable(VariableID(0), shape), try graph.variable(VariableID(1), shape))
        let scale = try graph.variable(VariableID(2), [one.channels.output])
        let folded = one.isScaled ? try graph.binary(.multiply, w, scale) : w
        let result = try graph.convolution(x, kernel: folded, one.convolution)
        let y = try graph.input("y", graph.shape(of: result))
        let loss = try graph.reduce(.sum, graph.binary(.multiply, result, y))
        let gradient = try graph.gradients(of: loss, withRespectTo: [w])[0]
        let nextV = try graph.binary(
            .add, graph.binary(.multiply, graph.constant(0.9), v),
            graph.binary(.multiply, graph.constant(0.1), graph.unary(.square, gradient)))
        let scaled = try graph.binary(.multiply, graph.constant(0.01), gradient)
        let root = try graph.unary(.squareRoot, graph.binary(.add, nextV, graph.constant(1e-7)))
        let step = try graph.binary(.divide, scaled, root)
        graph.updates = [
            .init(variable: VariableID(1), value: nextV),
            .init(variable: VariableID(0), value: try graph.binary(.subtract, w, step)),
        ]
        graph.outputs = [loss]
        return graph
    }

    fileprivate struct Values {
        var inputs: [String: ReferenceArray] = [:]
        var variables: [VariableID: ReferenceArray] = [:]

        init(_ graph: Graph) {
            var random = SplitMix(seed: 3)
            for node in graph.nodes {
                switch node.operation {
                case .leaf(.input(let name, let shape)): inputs[name] = random.array(shape)
                case .leaf(.variable(let id, let shape)):
                    let values = random.array(shape).values
                    // What stands under a root is positive.
                    let array = ReferenceArray(values.map { id.rawValue == 1 ? $0 * $0 + 0.1 : $0 }, shape: shape)
                    variables[id] = ReferenceArray(array.tensor)
                default: break
                }
            }
        }
    }

    fileprivate static func updated(_ graph: Graph, _ values: Values, threads: Int) throws -> [Tensor] {
        let plan = try CPUPlan(graph, options: CPUOptions(threads: threads))
        #expect(plan.report.fusedGradients == 1)
        #expect(plan.report.updatesInPlace == 2)
        #expect(plan.report.implementations["graft:convolution gradient+rmsprop"] == 1)
        try plan.bind(values.variables.mapValues(\.tensor))
        _ = try plan.run(values.inputs.mapValues(\.tensor))
        return try (0...1).map { try #require(plan.value(of: VariableID($0))) }
    }

    @Test(arguments: cases) func updatesAgreeWithTheInterpreter(_ one: Case) throws {
        let graph = try Self.graph(one)
        let values = Values(graph)
        let actual = try Self.updated(graph, values, threads: 2)
        let expected = try Interpreter.run(graph, inputs: values.inputs, variables: values.variables, randomKey: 0)
        for (id, expected) in expected.updates {
            // Sums of up to 147 products of numbers near 1, rounded one by one; squared in the optimizer's state.
            expectClose(ReferenceArray(actual[id.rawValue]), expected, tolerance: 1e-5)
        }
    }

    @Test func largeImagesAreLeftToOneDNN() throws {
        let graph = try Self.graph(Case(name: "large", size: (64, 64), kernel: (1, 1)))
        #expect(try CPUPlan(graph).report.fusedGradients == 0)
    }

    @Test func gradientsThatSomebodyElseReadsStandInMemory() throws {
        var graph = try Self.graph(Case(name: "read", kernel: (1, 1)))
        let gradient = graph.nodes.firstIndex {
            if case .convolution(.kernelGradient) = $0.operation { true } else { false }
        }
        graph.outputs.append(ValueID(index: try #require(gradient)))
        #expect(try CPUPlan(graph).report.fusedGradients == 0)
    }
}

// Within that suite because the instruction set is chosen for the whole process: one test at a time.
extension InstructionSetTests {
    @Test(arguments: FusedConvolutionGradientTests.cases)
    func kernelGradientsAgreeOnEveryInstructionSetAndHaveTheSameBitsOnAnyThreads(
        _ one: FusedConvolutionGradientTests.Case
    ) throws {
        defer { graft_use_instruction_set(graft_instruction_set_count() - 1) }
        let graph = try FusedConvolutionGradientTests.graph(one)
        let values = FusedConvolutionGradientTests.Values(graph)
        let best = try FusedConvolutionGradientTests.updated(graph, values, threads: 1)
        for set in 0..<graft_instruction_set_count() {
            graft_use_instruction_set(set)
            let actual = try FusedConvolutionGradientTests.updated(graph, values, threads: 1)
            for (left, right) in zip(actual, best) { expectClose(left, right, tolerance: 1e-5) }
            for threads in 2...3 {
                let isSame = try FusedConvolutionGradientTests.updated(graph, values, threads: threads) == actual
                #expect(isSame, "instruction set \(set), \(threads) threads")
            }
        }
    }
}
