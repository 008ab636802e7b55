import GraftCPU
import GraftTestSupport
import Testing

/// The CPU against the reference interpreter on random graphs.
@Suite struct CPUPlanRandomGraphTests {
    /// A graph's numbers stay below 30 and away from kinks and poles by 0.02, so that a 32-bit rounding of 6e-8 grows at
    /// most about fiftyfold in an operation and some thousandfold in a chain.
    static let tolerance = 5e-4

    @Test(arguments: Set(OperationKind.all).sorted { $0.description < $1.description })
    func eachOperationAgreesWithTheInterpreter(kind: OperationKind) throws {
        for seed in 0..<12 {
            let random = try RandomGraph(seed: UInt64(seed) + 2000, operations: 1, of: [kind])
            try expectAgreement(random, tolerance: 2e-5)
        }
    }

    @Test(arguments: 0..<8)
    func randomGraphsAgreeWithTheInterpreter(part: Int) throws {
        for seed in stride(from: part, to: 600, by: 8) {
            let random = try RandomGraph(seed: UInt64(seed), operations: 2 + seed % 12)
            try expectAgreement(random, tolerance: Self.tolerance)
        }
    }

    @Test(arguments: 0..<4)
    func gradientGraphsAgreeWithTheInterpreter(part: Int) throws {
        for seed in stride(from: part, to: 300, by: 4) {
            let random = try RandomGraph(
                seed: UInt64(seed) + 10_000, operations: 2 + seed % 8, of: OperationKind.differentiable)
            var (graph, loss) = try random.withLoss()
            let variables = try random.variables.sorted { $0.key < $1.key }.map { id, value in
                try graph.variable(id, value.shape)
            }
            graph.outputs = try [loss] + graph.gradients(of: loss, withRespectTo: variables)
            try expectAgreement(random, graph, tolerance: Self.tolerance)
        }
    }

    /// No step but the copy to the variable reads the input.
    @Test func aVariableCanBecomeAnInput() throws {
        var graph = Graph()
        let input = try graph.reshape(graph.input("x", [2, 3]), to: [6])
        let variable = VariableID(0)
        graph.outputs = [try graph.unary(.square, graph.variable(variable, [6]))]
        graph.updates = [Graph.Update(variable: variable, value: input)]
        let plan = try CPUPlan(graph)
        try plan.bind([variable: Tensor([1, 2, 3, 4, 5, 6], shape: [6])])
        let given = Tensor([7, 8, 9, 10, 11, 12], shape: [2, 3])
        #expect(try plan.run(["x": given])[0].scalars == [1, 4, 9, 16, 25, 36])
        #expect(plan.value(of: variable)?.scalars == given.scalars)
    }

    @Test func nanPassesThroughEveryFunction() throws {
        var graph = Graph()
        let x = try graph.input("x", [3])
        let one = try graph.constant(1)
        for function in UnaryFunction.allCases { try graph.outputs.append(graph.unary(function, x)) }
        for function in [BinaryFunction.add, .subtract, .multiply, .divide, .maximum, .minimum] {
            try graph.outputs += [graph.binary(function, x, one), graph.binary(function, one, x)]
        }
        let results = try CPUPlan(graph).run(["x": Tensor([.nan, .nan, .nan], shape: [3])])
        for (result, output) in zip(results, graph.outputs) {
            #expect(result.scalars.allSatisfy { $0.isNaN }, "\(graph[output].operation)")
        }
    }
}

/// Runs a graph on the CPU and in the interpreter, and compares every element of every output and update.
func expectAgreement(
    _ random: RandomGraph, _ graph: Graph? = nil, tolerance: Double, options: CPUOptions = CPUOptions(threads: 2),
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let graph = graph ?? random.graph
    let expected = try random.run(graph)
    let plan = try CPUPlan(graph, options: options)
    try plan.bind(random.variableTensors)
    let outputs = try plan.run(random.inputTensors, randomKey: random.randomKey)
    try #require(outputs.count == expected.outputs.count, sourceLocation: sourceLocation)
    for (position, (actual, expected)) in zip(outputs, expected.outputs).enumerated() {
        expectClose(
            actual, expected, tolerance: tolerance, "output \(position) of \(random)", sourceLocation: sourceLocation)
    }
    for (id, expected) in expected.updates {
        let actual = try #require(plan.value(of: id), sourceLocation: sourceLocation)
        expectClose(
            actual, expected, tolerance: tolerance, "update of variable \(id.rawValue) of \(random)",
            sourceLocation: sourceLocation)
    }
}
