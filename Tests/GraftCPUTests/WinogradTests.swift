import CKernels
import GraftCPU
import GraftTestSupport
import Testing

/// Convolutions by Winograd's filtering against the reference interpreter.
@Suite struct WinogradTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var input: Shape = [2, 11, 14, 16]
        var kernel = 3
        var outputs = 32
        var padding = EdgePadding(top: 1, bottom: 1, left: 1, right: 1)
        var hasBias = true
        var hasRelu = true

        var testDescription: String {
            "\(input) * \(kernel) × \(kernel) -> \(outputs), bias \(hasBias), relu \(hasRelu)"
        }

        /// `relu(x * w + b)`, each part where the case has it.
        func graph(kernelTrains: Bool = false) throws -> Graph {
            var graph = Graph()
            let x = try graph.input("x", input)
            let w = try graph.variable(VariableID(0), [kernel, kernel, input[3], outputs])
            var y = try graph.convolution(x, kernel: w, Convolution(padding: padding))
            if hasBias { y = try graph.binary(.add, y, graph.variable(VariableID(1), [outputs])) }
            if hasRelu { y = try graph.unary(.relu, y) }
            graph.outputs = [y]
            if kernelTrains { graph.updates = [.init(variable: VariableID(0), value: try graph.unary(.negate, w))] }
            return graph
        }

        var values: (inputs: [String: ReferenceArray], variables: [VariableID: ReferenceArray]) {
            var random = SplitMix(seed: UInt64(input.elementCount + kernel))
            let x = random.array(input), w = random.array([kernel, kernel, input[3], outputs])
            return (["x": x], [VariableID(0): w, VariableID(1): random.array([outputs])])
        }
    }

    /// Sizes that are no multiples of a tile, tiles that hang over every edge, one image and several, all numbers of rows
    /// that a block of tiles may leave over. In bfloat16 the last three are brought to six points, the others to eight; in
    /// float32 all to six.
    static let cases: [Case] = [
        Case(), Case(hasBias: false), Case(hasRelu: false),
        Case(input: [1, 8, 8, 48], outputs: 96, padding: .none, hasBias: false, hasRelu: false),
        Case(input: [3, 6, 6, 32], outputs: 64), Case(input: [5, 9, 7, 80], outputs: 32, padding: .none),
        Case(input: [1, 35, 35, 16], padding: EdgePadding(top: 0, bottom: 2, left: 2, right: 0)),
        Case(input: [2, 7, 9, 48], kernel: 5, outputs: 64, padding: EdgePadding(top: 2, bottom: 2, left: 2, right: 2)),
        Case(input: [1, 12, 13, 16], kernel: 5, padding: .none),
        Case(input: [2, 16, 15, 16]), Case(input: [1, 17, 18, 48], outputs: 64, padding: .none),
        Case(input: [3, 2, 2, 16], kernel: 5, padding: EdgePadding(top: 2, bottom: 2, left: 2, right: 2)),
    ]

    /// Six points round twice as much as a sum of products, which is held to 10⁻⁶ of the largest value; a fifth of what eight
    /// points needed.
    static let tolerance = 4e-6

    @Test(arguments: cases)
    func resultsAgreeWithTheInterpreter(_ example: Case) throws {
        let graph = try example.graph()
        let (inputs, variables) = example.values
        let expected = try Interpreter.run(graph, inputs: inputs, variables: variables, randomKey: 0).outputs[0]
        for threads in 1...3 {
            let plan = try CPUPlan(graph, options: CPUOptions(threads: threads))
            try plan.bind(variables.mapValues(\.tensor))
            #expect(plan.report.implementations["graft:winograd"] == 1)
            try expectClose(plan.run(inputs.mapValues(\.tensor))[0], expected, tolerance: Self.tolerance)
        }
    }

    /// Both sides round what they read and the result alike: one step of bfloat16.
    @Test(.enabled(if: CPUOptions.supportsBFloat16), arguments: cases.filter { $0.kernel == 3 || $0.input[1] > 2 })
    func bfloat16AgreesWithTheInterpreter(_ example: Case) throws {
        var graph = try example.graph().choosingPrecision(.bfloat16)
        if example.hasBias { graph = try example.graph().fusingEpilogues().choosingPrecision(.bfloat16) }
        let (inputs, variables) = example.values
        let expected = try Interpreter.run(graph, inputs: inputs, variables: variables, randomKey: 0).outputs[0]
        let plan = try CPUPlan(graph, options: CPUOptions(threads: 2))
        try plan.bind(variables.mapValues(\.tensor))
        #expect(plan.report.implementations["graft:winograd"] == 1)
        try expectClose(plan.run(inputs.mapValues(\.tensor))[0], expected, tolerance: 0x1p-7)
    }

    /// At six points, and, in bfloat16, at eight.
    @Test(arguments: [16, 18], CPUOptions.supportsBFloat16 ? [ElementType.float32, .bfloat16] : [.float32])
    func noBitDependsOnThreadsOrOnTheBatchThatAnImageIsIn(size: Int, precision: ElementType) throws {
        let (many, one) = (Case(input: [7, size, size, 32]), Case(input: [1, size, size, 32]))
        let (inputs, variables) = many.values
        let pixels = try #require(inputs["x"]).tensor
        var results: [Tensor] = []
        for threads in 1...3 {
            let plan = try CPUPlan(many.graph(), options: CPUOptions(threads: threads, precision: precision))
            try plan.bind(variables.mapValues(\.tensor))
            results.append(try plan.run(["x": pixels])[0])
        }
        #expect(results[1] == results[0])
        #expect(results[2] == results[0])
        let alone = try CPUPlan(one.graph(), options: CPUOptions(threads: 2, precision: precision))
        try alone.bind(variables.mapValues(\.tensor))
        #expect(try alone.run(["x": pixels.rows([4])])[0] == results[0].rows([4]))
    }

    /// What is no number or infinite reaches no pixel further away than a tile.
    @Test func whatIsNoNumberStaysNearby() throws {
        let example = Case(input: [2, 16, 16, 16], hasRelu: false)
        let (inputs, variables) = example.values
        var pixels = try #require(inputs["x"])
        pixels.values[0] = .nan
        let plan = try CPUPlan(example.graph(), options: CPUOptions(threads: 1))
        try plan.bind(variables.mapValues(\.tensor))
        let result = try plan.run(["x": pixels.tensor])[0]
        #expect(result[0].isNaN)
        let (below, other) = (result.scalars[(5 * 16 * 32)..<(16 * 16 * 32)], result.scalars[(16 * 16 * 32)...])
        #expect(below.allSatisfy { $0.isFinite }, "five rows below")
        #expect(other.allSatisfy { $0.isFinite }, "the other image")
    }

    // MARK: The rule

    @Test func aKernelThatTrainsIsConvolvedDirectly() throws {
        let plan = try CPUPlan(Case().graph(kernelTrains: true))
        #expect(plan.report.implementations["graft:winograd"] == nil)
    }

    static let refused: [Case] = [
        Case(input: [2, 11, 14, 24]), Case(outputs: 48), Case(kernel: 1, padding: .none),
        Case(input: [1, 3, 3, 16], padding: .none),  // One result needs a whole tile.
        Case(input: [1, 8, 8, 512], outputs: 512),  // Its kernel has 37 MB at the points.
    ]

    @Test(arguments: refused)
    func whatGainsNothingIsConvolvedDirectly(_ example: Case) throws {
        let plan = try CPUPlan(example.graph())
        #expect(plan.report.implementations["graft:winograd"] == nil)
    }
}
