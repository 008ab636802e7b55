import GraftCPU
import GraftGraph
import GraftTestSupport
import Testing

/// bfloat16 on the CPU against the reference interpreter, which rounds the same values.
@Suite(.enabled(if: CPUOptions.supportsBFloat16, "this processor has no instructions for bfloat16"))
struct PrecisionTests {
    /// One operation on numbers that both sides round alike: sums differ by 32-bit rounding, which may move a result over
    /// the middle between two bfloat16 numbers, so by one of their steps, at most 2⁻⁷ of the largest.
    @Test(arguments: Set(OperationKind.all).sorted { $0.description < $1.description })
    func eachOperationAgreesWithTheInterpreter(kind: OperationKind) throws {
        for seed in 0..<12 {
            let random = try RandomGraph(seed: UInt64(seed) + 2000, operations: 1, of: [kind])
            let graph = try random.graph.withTypes { _ in seed % 3 == 2 ? .float32 : .bfloat16 }
            try expectAgreement(random, graph, tolerance: 0x1p-7)
        }
    }

    /// What the pass makes of a network: rounding errors of 2⁻⁹ that differ between the sides, where 32-bit sums fall on
    /// other sides of a middle, pass through some ten operations.
    @Test(arguments: [SampleNetwork.Training.nothing, .head, .everything])
    func aTrainingStepAgreesWithTheInterpreter(training: SampleNetwork.Training) throws {
        let network = try SampleNetwork(seed: 3, batchSize: 4, training: training)
        let graph = try network.graph.pruned().foldingNormalization().fusingEpilogues().fusingElementwise()
            .choosingPrecision(.bfloat16)
        let expected = try network.run(graph)
        let plan = try CPUPlan(network.graph, options: CPUOptions(threads: 2, precision: .bfloat16))
        try plan.bind(network.variables.mapValues(\.tensor))
        let outputs = try plan.run(network.inputs.mapValues(\.tensor), randomKey: 7)
        for (actual, expected) in zip(outputs, expected.outputs) { expectClose(actual, expected, tolerance: 0x1p-7) }
        for (id, expected) in expected.updates {
            let actual = try #require(plan.value(of: id))
            expectClose(actual, expected, tolerance: 0x1p-6, "variable \(id.rawValue)")
        }
    }

    /// Chains of the operations that a trunk is made of.
    @Test(arguments: 0..<4)
    func randomTrunksAgreeWithTheInterpreter(part: Int) throws {
        let kinds: [OperationKind] = [
            .convolution, .convolution, .maxPooling, .averagePooling, .concatenation, .pad, .slice, .epilogue,
            .unary(.relu), .unary(.sigmoid), .unary(.tanh), .binary(.add), .binary(.multiply), .binary(.maximum),
            .program,
        ]
        for seed in stride(from: part, to: 200, by: 4) {
            let random = try RandomGraph(seed: UInt64(seed) + 30_000, operations: 2 + seed % 8, of: kinds)
            let graph = try random.graph.choosingPrecision(.bfloat16)
            // Each of up to ten operations may be off by a step of bfloat16 and grow what it reads.
            try expectAgreement(random, graph, tolerance: 0x1p-4)
        }
    }

    /// Small maps, windows of much padding: a place of Graft's own convolution, which multiplies float32 alone.
    @Test func aConvolutionOfMuchPaddingAgreesWithTheInterpreter() throws {
        var random = SplitMix(seed: 9)
        var graph = Graph()
        let x = try graph.input("x", [8, 3, 3, 16])
        let first = try graph.variable(VariableID(0), [3, 3, 16, 32])
        let second = try graph.variable(VariableID(1), [3, 3, 32, 48])
        let window = Convolution(padding: EdgePadding(top: 1, bottom: 1, left: 1, right: 1))
        let inner = try graph.unary(.relu, graph.convolution(x, kernel: first, window))
        graph.outputs = [try graph.convolution(inner, kernel: second, window)]
        let narrow = try graph.fusingEpilogues().choosingPrecision(.bfloat16)
        try ConcatenationTests.agrees(
            narrow, ["x": random.array([8, 3, 3, 16])],
            [VariableID(0): random.array([3, 3, 16, 32]), VariableID(1): random.array([3, 3, 32, 48])],
            tolerance: 0x1p-7)
    }

    @Test func aTrunkIsPackedOnceAndReordersNothing() throws {
        let network = try SampleNetwork(seed: 5, training: .nothing)
        let plan = try CPUPlan(network.graph, options: CPUOptions(precision: .bfloat16))
        #expect(plan.report.reorders == 0)
        let own = plan.report.implementations["graft:convolution"] ?? 0
        #expect(plan.report.preparationReorders + own == 4, "Graft packs the kernels of its own convolutions itself")
        let wide = try CPUPlan(network.graph)
        #expect(plan.report.steps == wide.report.steps)
        #expect(plan.report.arenaByteCount < wide.report.arenaByteCount)
    }

    @Test func theSameBitsComeOutForAnyNumberOfRuns() throws {
        let network = try SampleNetwork(seed: 6, training: .nothing)
        let plan = try CPUPlan(network.graph, options: CPUOptions(threads: 2, precision: .bfloat16))
        try plan.bind(network.variables.mapValues(\.tensor))
        let inputs = network.inputs.mapValues(\.tensor)
        let first = try plan.run(inputs, randomKey: 7)
        for _ in 0..<3 { #expect(try plan.run(inputs, randomKey: 7) == first) }
    }
}
