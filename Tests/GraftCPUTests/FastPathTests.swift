import GraftGraph
import GraftTestSupport
import Testing

@testable import GraftCPU

/// Plans with fast paths switched off: each alone, and all of them.
@Suite struct FastPathTests {
    /// What is switched off.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let disabled: Set<String>

        /// Options without these paths, for a machine on which small matrices are large.
        func options(_ precision: ElementType = .float32) -> CPUOptions {
            var options = CPUOptions(threads: 2, precision: precision)
            (options.disabledFastPaths, options.machine) = (disabled, FastPathNetwork.machine)
            return options
        }
    }

    static let alone = CPUOptions.fastPathNames.map { Case(testDescription: $0, disabled: [$0]) }
    static let none = Case(testDescription: "none", disabled: [])
    static let cases = alone + [none, Case(testDescription: "all", disabled: Set(CPUOptions.fastPathNames))]

    // MARK: Results

    @Test(arguments: cases) func randomGraphsAgreeWithTheInterpreter(_ example: Case) throws {
        for seed in 0..<40 {
            let random = try RandomGraph(seed: UInt64(seed) + 80_000, operations: 2 + seed % 12)
            try expectAgreement(
                random, tolerance: CPUPlanRandomGraphTests.tolerance, options: example.options())
        }
    }

    @Test(arguments: cases) func gradientGraphsAgreeWithTheInterpreter(_ example: Case) throws {
        for seed in 0..<20 {
            let random = try RandomGraph(
                seed: UInt64(seed) + 90_000, operations: 2 + seed % 8, of: OperationKind.differentiable)
            var (graph, loss) = try random.withLoss()
            let variables = try random.variables.sorted { $0.key < $1.key }.map { id, value in
                try graph.variable(id, value.shape)
            }
            graph.outputs = try [loss] + graph.gradients(of: loss, withRespectTo: variables)
            try expectAgreement(
                random, graph, tolerance: CPUPlanRandomGraphTests.tolerance, options: example.options())
        }
    }

    @Test(arguments: cases) func trainingStepsAgreeWithTheInterpreter(_ example: Case) throws {
        for network in [try FastPathNetwork.step(), try FastPathNetwork.head()] {
            let expected = try Interpreter.run(
                network.graph, inputs: network.inputs, variables: network.variables, randomKey: 0)
            var options = example.options()
            options.bitmapInputs = ["x"]
            let plan = try CPUPlan(network.graph, options: options)
            try plan.bind(network.variables.mapValues(\.tensor))
            let outputs = try plan.run(network.inputs.mapValues(\.tensor))
            for (actual, expected) in zip(outputs, expected.outputs) { expectClose(actual, expected, tolerance: 2e-5) }
            for (id, expected) in expected.updates {
                expectClose(
                    try #require(plan.value(of: id)), expected, tolerance: 2e-5, "variable \(id.rawValue)")
            }
        }
    }

    /// As in `PrecisionTests`: rounding errors of 2⁻⁹ that fall on other sides of a middle.
    @Test(.enabled(if: CPUOptions.supportsBFloat16), arguments: cases)
    func aTrainingStepInBFloat16AgreesWithTheInterpreter(_ example: Case) throws {
        let network = try FastPathNetwork.step()
        let graph = try network.graph.pruned().foldingNormalization().fusingEpilogues().fusingElementwise()
            .choosingPrecision(.bfloat16)
        let expected = try Interpreter.run(
            graph, inputs: network.inputs, variables: network.variables, randomKey: 0)
        let plan = try CPUPlan(network.graph, options: example.options(.bfloat16))
        try plan.bind(network.variables.mapValues(\.tensor))
        let outputs = try plan.run(network.inputs.mapValues(\.tensor))
        for (actual, expected) in zip(outputs, expected.outputs) { expectClose(actual, expected, tolerance: 0x1p-6) }
    }

    /// Several steps on batches that come compressed, of which each but the last is told of the next.
    @Test(
        arguments: [
            "pooled-relu", "small-products", "fused-input-gradient", "optimizer-kernels", "bitmap-rows",
            "skipped-zeros",
            "lazy-rows", "next-batch-overlap",
        ])
    func thesePathsChangeNoBit(name: String) throws {
        let (with, without) = (try Self.bits(without: []), try Self.bits(without: [name]))
        let isSame = with == without
        #expect(isSame)
    }

    /// The bits of all that three steps of the head compute, and one of the whole network.
    private static func bits(without disabled: Set<String>) throws -> [[UInt32]] {
        var network = try FastPathNetwork.head()
        var options = Case(testDescription: "", disabled: disabled).options()
        options.bitmapInputs = ["x"]
        var batches: [[String: Tensor]] = []
        for _ in 0..<3 { batches.append(["x": network.sparseInputs().tensor]) }
        let plan = try CPUPlan(network.graph, options: options)
        let feeds = try batches.map { try plan.feed($0, compressing: ["x"]) }
        try plan.bind(network.variables.mapValues(\.tensor))
        var bits: [[UInt32]] = []
        for (index, feed) in feeds.enumerated() {
            let next = index + 1 < feeds.count ? feeds[index + 1] : nil
            bits += try plan.run(feed, next: next).map { $0.scalars.map(\.bitPattern) }
        }
        bits += try values(plan, network)
        let whole = try FastPathNetwork.step()
        let step = try CPUPlan(whole.graph, options: options)
        try step.bind(whole.variables.mapValues(\.tensor))
        bits += try step.run(whole.inputs.mapValues(\.tensor)).map { $0.scalars.map(\.bitPattern) }
        return try bits + values(step, whole)
    }

    private static func values(_ plan: CPUPlan, _ network: FastPathNetwork) throws -> [[UInt32]] {
        try network.variables.keys.sorted().map { id in
            try #require(plan.value(of: id)).scalars.map(\.bitPattern)
        }
    }

    // MARK: Switches

    /// What plans are made of: the whole network in both precisions, and the head.
    private static func reports(without disabled: Set<String>) throws -> [PlanReport] {
        let example = Case(testDescription: "", disabled: disabled)
        var head = example.options()
        head.bitmapInputs = ["x"]
        var (whole, reports) = (try FastPathNetwork.step().graph, [PlanReport]())
        reports.append(try CPUPlan(whole, options: example.options()).report)
        reports.append(try CPUPlan(FastPathNetwork.head().graph, options: head).report)
        if CPUOptions.supportsBFloat16 {
            reports.append(try CPUPlan(whole, options: example.options(.bfloat16)).report)
            whole.updates = []
            reports.append(try CPUPlan(whole, options: example.options(.bfloat16)).report)
        }
        return reports
    }

    /// Paths that a plan's report does not show: a number of threads inside of oneDNN, a flag of the kernels, the form in which
    /// an input is fed, a backend's choice.
    private static let invisible: Set = [
        "small-products", "skipped-zeros", "concurrent-runs",
    ]

    /// Paths that this processor, or this version of oneDNN, does not take.
    private static var missing: Set<String> {
        let machine = Machine.current
        // Which of these a plan takes is the processor's and oneDNN's choice.
        let processors: Set = [
            "winograd", "direct-convolution", "rotated-weights", "onednn-direct-code",
            "bfloat16-pooling", "kernel-gradient-split",
        ]
        guard machine.oneDNNVersion.hasPrefix("2."), !machine.hasAMX else { return processors }
        var missing: Set<String> = []
        if !machine.hasVectors { missing.insert("winograd") }
        if !machine.hasFastConvolutions { missing.formUnion(["direct-convolution", "rotated-weights"]) }
        if !machine.hasAVX512BFloat16 {
            missing.formUnion([
                "onednn-direct-code", "bfloat16-pooling", "kernel-gradient-split",
            ])
        }
        return missing
    }

    @Test(arguments: alone.filter { !invisible.contains($0.testDescription) && !missing.contains($0.testDescription) })
    func switchingAPathOffShows(_ example: Case) throws {
        let (with, without) = (try Self.reports(without: []), try Self.reports(without: example.disabled))
        #expect(with != without)
    }

    @Test func withoutFastPathsPlansAreOneDNNsAndElementwise() throws {
        for report in try Self.reports(without: Set(CPUOptions.fastPathNames)) {
            let own = report.implementations.keys.filter { $0.hasPrefix("graft:") }.sorted()
            #expect(
                Set(own).isSubset(of: ["graft:elementwise", "graft:pooling", "graft:reduction", "graft:copy"]), "\(own)"
            )
            #expect(report.fusedGradients == 0)
            #expect(report.concatenatedInPlace == 0)
            #expect(report.lazyUpdates == 0)
            #expect(report.overlappedProducts == 0)
        }
    }

    @Test func concurrentRunsAreOneWithoutThem() {
        var options = CPUOptions(threads: 4)
        #expect(CPUBackend(options: options).capabilities.concurrentRuns == 4)
        let identity = CPUBackend(options: options).capabilities.identity
        options.disabledFastPaths = ["concurrent-runs"]
        #expect(CPUBackend(options: options).capabilities.concurrentRuns == 1)
        #expect(
            CPUBackend(options: options).capabilities.identity != identity, "their plans are not those of the other")
    }

    @Test func aNameThatNoPathHasIsAnError() throws {
        var options = CPUOptions()
        options.disabledFastPaths = ["winograd", "vinograd"]
        let error = #expect(throws: GraftError.self) { try CPUPlan(FastPathNetwork.head().graph, options: options) }
        #expect(error?.code == .argument)
        #expect(error?.message.hasPrefix("there is no fast path 'vinograd'; there are bfloat16-pooling, ") == true)
    }

    // MARK: The list

    @Test func everyPathHasANameOfItsOwn() {
        #expect(Set(CPUOptions.fastPathNames).count == FastPath.all.count)
        #expect(FastPath.all.allSatisfy { !$0.page.isEmpty })
    }

    /// On which the figures of the notebook, the counts of plans and the bits of results rest.
    @Test func thresholdsAreThoseThatWereMeasured() {
        let machine = Machine.current
        #expect(machine.largeMatrix == 1 << 20)
        #expect((machine.mostSkinnyRows, machine.leastSkinnyInner) == (64, 128))
        #expect((machine.smallProduct, machine.smallPrepared) == (1 << 18, 1 << 16))
        #expect((machine.winogradChannelPairs, machine.winogradChannelPairsOfEight) == (1 << 16, 5 << 13))
        #expect(machine.convolutionPanel == 1 << 19)
        #expect((machine.gradientPanel, machine.gradientInput) == (1 << 18, 1 << 20))
        #expect((machine.leastGradientColumns, machine.leastGradientRows) == (64, 32))
    }

    @Test func theMachineIsRead() {
        let machine = Machine.current
        #expect([16, 32, 64].contains(machine.vectorByteCount))
        #expect(machine.oneDNNVersion.split(separator: ".").count == 3)
        #expect(!machine.hasAVX512BFloat16 || machine.vectorByteCount == 64)
    }
}
