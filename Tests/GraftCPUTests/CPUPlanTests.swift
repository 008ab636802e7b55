import Foundation
import GraftCPU
import GraftTestSupport
import Testing

/// What a plan promises to who binds and runs it.
@Suite struct CPUPlanTests {
    /// `y = x · w + b` and, on request, an update of each variable.
    static func denseGraph(updating: Bool = false) throws -> Graph {
        var graph = Graph()
        let x = try graph.input("x", [2, 3])
        let (w, b) = (try graph.variable(VariableID(0), [3, 2]), try graph.variable(VariableID(1), [2]))
        graph.outputs = [try graph.binary(.add, graph.matrixProduct(x, w), b)]
        if updating {
            graph.updates = [
                .init(variable: VariableID(0), value: try graph.binary(.multiply, w, graph.constant(2))),
                .init(variable: VariableID(1), value: try graph.binary(.add, b, graph.constant(1))),
            ]
        }
        return graph
    }

    static let x = ["x": Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])]
    static let values = [
        VariableID(0): Tensor([1, 2, 3, 4, 5, 6], shape: [3, 2]), VariableID(1): Tensor([10, 20], shape: [2]),
    ]

    @Test func aDenseLayerIsComputed() throws {
        let plan = try CPUPlan(Self.denseGraph())
        try plan.bind(Self.values)
        #expect(try plan.run(Self.x) == [Tensor([32, 48, 59, 84], shape: [2, 2])])
    }

    // MARK: Errors

    @Test func whatIsMissingOrDoesNotFitIsNamed() throws {
        let plan = try CPUPlan(Self.denseGraph())
        expectError(.state, "2 variables without values") { _ = try plan.run(Self.x) }
        expectError(.argument, "variable 1 of the shape (2,) has no value") {
            try plan.bind([VariableID(0): Tensor(zeros: [3, 2])])
        }
        expectError(.shape, "variable 1 was given a value of the shape (3,), its shape is (2,)") {
            try plan.bind([VariableID(0): Tensor(zeros: [3, 2]), VariableID(1): Tensor(zeros: [3])])
        }
        try plan.bind(Self.values)
        expectError(.argument, "no input 'x' of the shape (2, 3), only [\"y\"]") {
            _ = try plan.run(["y": Tensor(zeros: [2, 3])])
        }
        expectError(.shape, "the input 'x' has the shape (3, 3), the plan was made for (2, 3)") {
            _ = try plan.run(["x": Tensor(zeros: [3, 3])])
        }
    }

    @Test func aPlanBeyondTheMemoryLimitIsRefused() throws {
        var graph = Graph()
        let x = try graph.input("x", [1 << 10])
        let wide = try graph.broadcast(graph.reshape(x, to: [1 << 10, 1]), to: [1 << 10, 1 << 14])
        graph.outputs = [try graph.reduce(.sum, graph.matrixProduct(wide, wide, transposeLeft: true))]
        expectError(.backend, "use a smaller batch or smaller images") {
            _ = try CPUPlan(graph, options: CPUOptions(memoryLimit: 1 << 20))
        }
    }

    @Test(arguments: [1 << 40, 1 << 45])
    func hostileSizesAreRefused(size: Int) throws {
        var graph = Graph()
        let x = try graph.input("x", [1, 1])
        graph.outputs = [try graph.unary(.exponential, graph.broadcast(x, to: [size, 1 << 12]))]
        expectError(.backend, "are allowed") { _ = try CPUPlan(graph) }
    }

    @Test func hostileConvolutionsAndProductsAreRefused() throws {
        var convolution = Graph()
        let image = try convolution.input("x", [1, 1 << 16, 1 << 16, 1 << 6])
        let kernel = try convolution.input("k", [3, 3, 1 << 6, 1 << 20])
        convolution.outputs = [try convolution.convolution(image, kernel: kernel, Convolution())]
        expectError(.backend, "are allowed") { _ = try CPUPlan(convolution) }
        var product = Graph()
        let matrix = try product.input("x", [1 << 24, 1])
        product.outputs = [try product.matrixProduct(matrix, matrix, transposeRight: true)]
        expectError(.backend, "are allowed") { _ = try CPUPlan(product) }
    }

    @Test func convolutionsWithoutElementsAreRefused() throws {
        var graph = Graph()
        let x = try graph.input("x", [0, 4, 4, 3])
        let kernel = try graph.constant(Tensor(zeros: [1, 1, 3, 2]))
        graph.outputs = [try graph.convolution(x, kernel: kernel, Convolution())]
        expectError(.shape, "has an operand without elements") { _ = try CPUPlan(graph) }
    }

    @Test func arraysWithoutElementsAreComputed() throws {
        var graph = Graph()
        let x = try graph.input("x", [0, 3])
        let sum = try graph.reduce(.sum, x, axes: [0])
        graph.outputs = [
            try graph.unary(.exponential, x), try graph.softmax(x), sum, try graph.concatenate([x, x], axis: 0),
            try graph.reduce(.sum, x, axes: [1]), try graph.concatenate([x, graph.reshape(sum, to: [1, 3])], axis: 0),
        ]
        let results = try CPUPlan(graph).run(["x": Tensor(zeros: [0, 3])])
        #expect(results.map(\.shape) == [[0, 3], [0, 3], [3], [0, 3], [0], [1, 3]])
        #expect(results.map(\.scalars) == [[], [], [0, 0, 0], [], [], [0, 0, 0]])
    }

    // MARK: Outputs

    @Test func outputsMayBeInputsVariablesConstantsAndEachOther() throws {
        var graph = Graph()
        let (x, w) = (try graph.input("x", [2]), try graph.variable(VariableID(0), [2]))
        let sum = try graph.binary(.add, x, w)
        graph.outputs = [
            x, w, try graph.constant(Tensor([7], shape: [1])), sum, sum, try graph.reshape(sum, to: [2, 1]),
            try graph.reshape(x, to: [1, 2]),
        ]
        let plan = try CPUPlan(graph)
        try plan.bind([VariableID(0): Tensor([10, 20], shape: [2])])
        let results = try plan.run(["x": Tensor([1, 2], shape: [2])])
        #expect(results.map(\.scalars) == [[1, 2], [10, 20], [7], [11, 22], [11, 22], [11, 22], [1, 2]])
        #expect(results.map(\.shape) == [[2], [2], [1], [2], [2], [2, 1], [1, 2]])
    }

    @Test func resultsOfEarlierRunsKeepTheirNumbers() throws {
        let plan = try CPUPlan(Self.denseGraph())
        try plan.bind(Self.values)
        let first = try plan.run(Self.x)[0]
        _ = try plan.run(["x": Tensor(zeros: [2, 3])])
        #expect(first.scalars == [32, 48, 59, 84])
    }

    // MARK: Updates

    @Test func updatesReachTheVariablesAndNobodyElse() throws {
        let plan = try CPUPlan(Self.denseGraph(updating: true))
        try plan.bind(Self.values)
        #expect(plan.report.updatesInPlace == 2)
        #expect(try plan.run(Self.x)[0].scalars == [32, 48, 59, 84])
        let after = try #require(plan.value(of: VariableID(0)))
        #expect(after.scalars == [2, 4, 6, 8, 10, 12])
        #expect(try plan.run(Self.x)[0].scalars == [55, 77, 109, 149])
        #expect(after.scalars == [2, 4, 6, 8, 10, 12], "a value taken earlier keeps its numbers")
        #expect(Self.values[VariableID(0)]?.scalars == [1, 2, 3, 4, 5, 6], "the bound tensor keeps its numbers")
        #expect(plan.value(of: VariableID(1))?.scalars == [12, 22])
    }

    @Test func aWarmStepAllocatesNothing() throws {
        let plan = try CPUPlan(Self.denseGraph(updating: true))
        #expect(plan.report.allocations == 0)
        try plan.bind(Self.values)
        _ = try plan.run(Self.x)
        // An arena, and memory for the two variables, whose values are the test's.
        #expect(plan.report.allocations == 3)
        for _ in 0..<3 { _ = try plan.run(Self.x) }
        #expect(plan.report.allocations == 3)
    }

    /// As at the end of an epoch: the values are given away, and whoever held those of the epoch before lets go of them.
    @Test func nextValuesAreWrittenToTheMemoryOfFormerOnes() throws {
        let plan = try CPUPlan(Self.denseGraph(updating: true))
        let id = VariableID(0)
        var (held, expected) = (Tensor(zeros: [3, 2]), [Float]())
        try plan.bind(Self.values)
        for epoch in 1...4 {
            _ = try plan.run(Self.x)
            held = try #require(plan.value(of: id))
            expected = [1, 2, 3, 4, 5, 6].map { $0 * Float(1 << epoch) }
            #expect(held.scalars == expected)
        }
        // The arena, two values in the first run, and one more while the test's own are held; then two arrays take turns.
        #expect(plan.report.allocations == 4)
        #expect(held.scalars == expected)
    }

    @Test func formerValuesThatSomebodySharesAreNotWrittenTo() throws {
        let plan = try CPUPlan(Self.denseGraph(updating: true))
        let id = VariableID(0)
        try plan.bind(Self.values)
        var taken: [Tensor] = []
        for _ in 1...3 {
            _ = try plan.run(Self.x)
            try taken.append(#require(plan.value(of: id)))
        }
        #expect(taken.map { $0[0] } == [2, 4, 8])
    }

    @Test func variablesCanChangePlaces() throws {
        var graph = Graph()
        let (a, b) = (try graph.variable(VariableID(0), [2]), try graph.variable(VariableID(1), [2]))
        graph.updates = [.init(variable: VariableID(0), value: b), .init(variable: VariableID(1), value: a)]
        let plan = try CPUPlan(graph)
        try plan.bind([VariableID(0): Tensor([1, 2], shape: [2]), VariableID(1): Tensor([3, 4], shape: [2])])
        _ = try plan.run([:])
        #expect(plan.value(of: VariableID(0))?.scalars == [3, 4])
        #expect(plan.value(of: VariableID(1))?.scalars == [1, 2])
    }

    @Test func updatesSeeOnlyValuesFromTheStartOfTheRun() throws {
        // a' = a + b, b' = a · b', c' = a' + b, and the outputs read old and new values of both.
        var graph = Graph()
        let (a, b, c) = (
            try graph.variable(VariableID(0), [2]), try graph.variable(VariableID(1), [2]),
            try graph.variable(VariableID(2), [2])
        )
        let nextA = try graph.binary(.add, a, b)
        let nextB = try graph.binary(.multiply, a, graph.binary(.add, b, c))
        graph.updates = [
            .init(variable: VariableID(0), value: nextA), .init(variable: VariableID(1), value: nextB),
            .init(variable: VariableID(2), value: try graph.binary(.add, nextA, b)),
        ]
        graph.outputs = [try graph.binary(.subtract, nextA, a), try graph.binary(.multiply, nextB, b)]
        let start: [VariableID: ReferenceArray] = [
            VariableID(0): .init([1, 2], shape: [2]), VariableID(1): .init([3, 5], shape: [2]),
            VariableID(2): .init([7, 11], shape: [2]),
        ]
        let expected = try Interpreter.run(graph, inputs: [:], variables: start, randomKey: 0)
        let plan = try CPUPlan(graph)
        try plan.bind(start.mapValues(\.tensor))
        let outputs = try plan.run([:])
        #expect(outputs == expected.outputs.map(\.tensor))
        for (id, value) in expected.updates { #expect(plan.value(of: id) == value.tensor) }
    }

    // MARK: Binding again

    @Test func bindingAgainTakesTheNewValues() throws {
        let graph = try Self.convolutionGraph()
        let plan = try CPUPlan(graph)
        let x = ["x": Tensor(repeating: 1, shape: [1, 4, 4, 16])]
        var values = [
            VariableID(0): Tensor(repeating: 1, shape: [3, 3, 16, 16]),
            VariableID(1): Tensor(repeating: 2, shape: [16]),
            VariableID(2): Tensor(repeating: 1, shape: [16]),
        ]
        try plan.bind(values)
        #expect(try plan.run(x)[0].scalars.allSatisfy { $0 == 289 })
        values[VariableID(1)] = Tensor(repeating: 3, shape: [16])
        try plan.bind(values)
        #expect(try plan.run(x)[0].scalars.allSatisfy { $0 == 433 })
        values[VariableID(2)] = Tensor(repeating: -1000, shape: [16])
        try plan.bind(values)
        #expect(try plan.run(x)[0].scalars.allSatisfy { $0 == 0 })
    }

    /// `relu(convolution(x, w) · scale + shift)`
    static func convolutionGraph() throws -> Graph {
        var graph = Graph()
        let x = try graph.input("x", [1, 4, 4, 16])
        let w = try graph.variable(VariableID(0), [3, 3, 16, 16])
        let product = try graph.convolution(x, kernel: w, Convolution())
        let scaled = try graph.binary(.multiply, product, graph.variable(VariableID(1), [16]))
        graph.outputs = [try graph.unary(.relu, graph.binary(.add, scaled, graph.variable(VariableID(2), [16])))]
        return graph
    }

    // MARK: Counts

    @Test func frozenNormalizationAndActivationCostNothing() throws {
        let report = try CPUPlan(Self.convolutionGraph()).report
        #expect(report.steps == 1, "the convolution")
        #expect(report.reorders == 0)
        #expect(report.preparationReorders <= 1, "the kernel, once")
        #expect(report.arenaByteCount == 0, "its result is the output")
        #expect(report.primitives == report.preparationReorders + 1)
    }

    @Test func optimizerAndWeightAreUpdatedInOnePass() throws {
        var graph = Graph()
        let (x, w) = (try graph.input("x", [4, 8]), try graph.variable(VariableID(0), [8, 4]))
        let v = try graph.variable(VariableID(1), [8, 4])
        let loss = try graph.reduce(.sum, graph.matrixProduct(x, w))
        let gradient = try graph.gradients(of: loss, withRespectTo: [w])[0]
        let nextV = try graph.binary(
            .add, graph.binary(.multiply, v, graph.constant(0.9)), graph.unary(.square, gradient))
        let nextW = try graph.binary(.subtract, w, graph.binary(.divide, gradient, graph.unary(.squareRoot, nextV)))
        graph.updates = [.init(variable: VariableID(1), value: nextV), .init(variable: VariableID(0), value: nextW)]
        let report = try CPUPlan(graph).report
        #expect(report.updatesInPlace == 2)
        #expect(report.copies == 0)
    }

    static let expectedVersion = ProcessInfo.processInfo.environment["GRAFT_EXPECT_ONEDNN"]

    @Test(.enabled(if: expectedVersion != nil, "GRAFT_EXPECT_ONEDNN names no version"))
    func theLibraryIsTheOneThatWasAskedFor() throws {
        let version = try CPUPlan(Self.denseGraph()).report.oneDNNVersion
        #expect(version.hasPrefix(Self.expectedVersion ?? ""))
    }

    // MARK: Threads

    @Test func manyThreadsRunOnePlan() async throws {
        let random = try RandomGraph(seed: 5, operations: 12, of: OperationKind.differentiable)
        var graph = random.graph
        graph.updates = []
        let plan = try CPUPlan(graph, options: CPUOptions(threads: 2))
        try plan.bind(random.variableTensors)
        let expected = try plan.run(random.inputTensors, randomKey: random.randomKey)
        let inputs = random.inputTensors
        try await withThrowingTaskGroup(of: [Tensor].self) { group in
            for _ in 0..<32 { group.addTask { try plan.run(inputs, randomKey: random.randomKey) } }
            for try await result in group { #expect(result == expected) }
        }
    }

    @Test func runsOfAPlanWithUpdatesWaitForEachOther() async throws {
        let plan = try CPUPlan(Self.denseGraph(updating: true))
        try plan.bind(Self.values)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { _ = try plan.run(Self.x) } }
            try await group.waitForAll()
        }
        #expect(plan.value(of: VariableID(1))?.scalars == [30, 40])
    }

    @Test(arguments: [1, 2, 3])
    func sameThreadsGiveSameBits(threads: Int) throws {
        for seed in 0..<20 {
            let random = try RandomGraph(seed: UInt64(seed) + 500, operations: 10)
            var results: [[Tensor]] = []
            for _ in 0..<2 {
                let plan = try CPUPlan(random.graph, options: CPUOptions(threads: threads))
                try plan.bind(random.variableTensors)
                try results.append(plan.run(random.inputTensors, randomKey: random.randomKey))
            }
            for (left, right) in zip(results[0], results[1]) {
                #expect(left.scalars.map(\.bitPattern) == right.scalars.map(\.bitPattern), "\(random)")
            }
        }
    }

    // MARK: Profile

    @Test func theProfileNamesEveryStep() throws {
        var graph = try Self.convolutionGraph()
        graph.currentLabel = "tail"
        graph.outputs = [try graph.softmax(graph.outputs[0])]
        let plan = try CPUPlan(graph, options: CPUOptions(profile: true))
        try plan.bind([
            VariableID(0): Tensor(zeros: [3, 3, 16, 16]), VariableID(1): Tensor(zeros: [16]),
            VariableID(2): Tensor(zeros: [16]),
        ])
        for _ in 0..<3 { _ = try plan.run(["x": Tensor(zeros: [1, 4, 4, 16])]) }
        #expect(plan.profile.map(\.operation) == ["convolution", "softmax"])
        #expect(plan.profile.map(\.count) == [3, 3])
        #expect(plan.profile.last?.label == "tail")
        #expect(plan.profile.allSatisfy { $0.seconds > 0 })
    }
}

/// Expects a call to fail with this code and with these words in its message.
func expectError(
    _ code: GraftError.Code, _ words: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
) {
    do {
        try body()
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    } catch let error as GraftError {
        #expect(error.code == code, sourceLocation: sourceLocation)
        #expect(error.message.contains(words), sourceLocation: sourceLocation)
    } catch {
        Issue.record("\(error) is no GraftError", sourceLocation: sourceLocation)
    }
}
