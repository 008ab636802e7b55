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

    @Test func gradientsThatSomebodyElseReadsStandInMemory() throws {
        var graph = try Self.graph(Size(examples: 2, inputs: 3, units: 64))
        let gradient = graph.nodes.firstIndex {
            $0.operation == .matrixProduct(transposeLeft: true, transposeRight: false, .none)
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
