import GraftCPU
import GraftTestSupport
import Testing

/// Kernel gradients that are updated while they are computed.
@Suite struct FusedGradientTests {
    struct Size: Sendable, CustomTestStringConvertible {
        let examples: Int
        let inputs: Int
        let units: Int
        var testDescription: String { "\(examples) × \(inputs) to \(units)" }
    }

    /// Around tiles of 4 × 1,024, vectors of 16 and blocks of 512.
    static let sizes = [
        Size(examples: 1, inputs: 1, units: 64), Size(examples: 3, inputs: 5, units: 65),
        Size(examples: 20, inputs: 7, units: 1024), Size(examples: 2, inputs: 9, units: 1025),
        Size(examples: 5, inputs: 4, units: 2070), Size(examples: 256, inputs: 3, units: 100),
        Size(examples: 4, inputs: 33, units: 512),
    ]

    @Test(arguments: sizes, 1...3)
    func updatesAgreeWithTheInterpreter(size: Size, threads: Int) throws {
        let graph = try Self.graph(size)
        let plan = try CPUPlan(graph, options: CPUOptions(threads: threads))
        #expect(plan.report.fusedGradients == 1)
        #expect(plan.report.updatesInPlace == 2)
        var random = SplitMix(seed: UInt64(size.units))
        let inputs = [
            "x": random.array([size.examples, size.inputs]), "y": random.array([size.examples, size.units]),
        ]
        let shape: Shape = [size.inputs, size.units]
        let squares = random.array(shape).values.map { $0 * $0 + 0.1 }
        let variables = [
            VariableID(0): random.array(shape),
            VariableID(1): ReferenceArray(ReferenceArray(squares, shape: shape).tensor),
        ]
        let expected = try Interpreter.run(graph, inputs: inputs, variables: variables, randomKey: 0)
        try plan.bind(variables.mapValues(\.tensor))
        _ = try plan.run(inputs.mapValues(\.tensor))
        for (id, expected) in expected.updates {
            let actual = try #require(plan.value(of: id))
            // Sums of up to 256 products of numbers near 1, rounded one by one.
            expectClose(actual, expected, tolerance: 1e-5)
        }
    }

    /// Weight decay, clipping and momentum stand between the gradient and the update; Adam has two states.
    @Test(arguments: ["sgd", "momentum", "adam"])
    func everyOptimizerIsFused(name: String) throws {
        var graph = Graph()
        let (x, y) = (try graph.input("x", [4, 6]), try graph.input("y", [4, 80]))
        let rate = try graph.input("rate", [])
        let w = try graph.variable(VariableID(0), [6, 80])
        let loss = try graph.reduce(.sum, graph.binary(.multiply, graph.matrixProduct(x, w), y))
        let gradient = try graph.gradients(of: loss, withRespectTo: [w])[0]
        func mean(_ id: Int, _ value: ValueID, _ decay: Float) throws -> ValueID {
            let state = try graph.variable(VariableID(id), [6, 80])
            let kept = try graph.binary(.multiply, state, graph.constant(decay))
            let next = try graph.binary(.add, kept, graph.binary(.multiply, value, graph.constant(1 - decay)))
            graph.updates.append(.init(variable: VariableID(id), value: next))
            return next
        }
        var change = try graph.binary(.add, gradient, graph.binary(.multiply, w, graph.constant(0.01)))
        if name == "momentum" {
            change = try mean(1, graph.binary(.minimum, change, graph.constant(0.5)), 0.9)
        } else if name == "adam" {
            let first = try mean(1, change, 0.9)
            let second = try mean(2, graph.unary(.square, change), 0.99)
            let root = try graph.binary(.add, graph.unary(.squareRoot, second), graph.constant(1e-3))
            change = try graph.binary(.divide, first, root)
        }
        let next = try graph.binary(.subtract, w, graph.binary(.multiply, change, rate))
        graph.updates.append(.init(variable: VariableID(0), value: next))
        graph.outputs = [loss]

        var random = SplitMix(seed: 11)
        let inputs = ["x": random.array([4, 6]), "y": random.array([4, 80]), "rate": ReferenceArray(0.125)]
        var variables: [VariableID: ReferenceArray] = [:]
        for update in graph.updates { variables[update.variable] = random.array([6, 80]) }
        variables[VariableID(2)] = variables[VariableID(2)].map { array in
            ReferenceArray(ReferenceArray(array.values.map { $0 * $0 + 0.25 }, shape: array.shape).tensor)
        }
        let plan = try CPUPlan(graph)
        #expect(plan.report.fusedGradients == 1)
        #expect(plan.report.updatesInPlace == graph.updates.count)
        try plan.bind(variables.mapValues(\.tensor))
        let outputs = try plan.run(inputs.mapValues(\.tensor))
        let expected = try Interpreter.run(graph, inputs: inputs, variables: variables, randomKey: 0)
        // Chains of about ten 32-bit operations.
        expectClose(outputs[0], expected.outputs[0], tolerance: 1e-5)
        for (id, expected) in expected.updates {
            try expectClose(#require(plan.value(of: id)), expected, tolerance: 1e-5)
        }
    }

    @Test func gradientsThatSomebodyElseReadsStandInMemory() throws {
        var graph = try Self.graph(Size(examples: 2, inputs: 3, units: 64))
        let gradient = graph.nodes.firstIndex {
            $0.operation == .product(MatrixProduct(transposeLeft: true))
        }
        graph.outputs.append(ValueID(index: try #require(gradient)))
        #expect(try CPUPlan(graph).report.fusedGradients == 0)
    }

    /// RMSprop on the kernel of `sum((x · w) ⊙ y)`, whose gradient is `xᵀ · y`.
    static func graph(_ size: Size) throws -> Graph {
        var graph = Graph()
        let (x, y) = (
            try graph.input("x", [size.examples, size.inputs]), try graph.input("y", [size.examples, size.units])
        )
        let w = try graph.variable(VariableID(0), [size.inputs, size.units])
        let v = try graph.variable(VariableID(1), [size.inputs, size.units])
        let loss = try graph.reduce(.sum, graph.binary(.multiply, graph.matrixProduct(x, w), y))
        let gradient = try graph.gradients(of: loss, withRespectTo: [w])[0]
        let nextV = try graph.binary(
            .add, graph.binary(.multiply, v, graph.constant(0.9)),
            graph.binary(.multiply, graph.unary(.square, gradient), graph.constant(0.1)))
        let root = try graph.unary(.squareRoot, graph.binary(.add, nextV, graph.constant(1e-7)))
        let step = try graph.binary(.divide, graph.binary(.multiply, gradient, graph.constant(0.01)), root)
        graph.updates = [
            .init(variable: VariableID(1), value: nextV),
            .init(variable: VariableID(0), value: try graph.binary(.subtract, w, step)),
        ]
        graph.outputs = [loss]
        return graph
    }
}
