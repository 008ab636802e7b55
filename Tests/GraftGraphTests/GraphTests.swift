import GraftGraph
import GraftTestSupport
import Testing

@Suite struct GraphTests {
    @Test func theSameOperationIsAddedOnce() throws {
        var graph = Graph()
        let x = try graph.input("x", [2])
        #expect(try graph.unary(.relu, x) == graph.unary(.relu, x))
        #expect(try graph.constant(1) == graph.constant(1))
        #expect(try graph.constant(1) != graph.constant(2))
        #expect(try graph.randomUniform(stream: 1, [2]) != graph.randomUniform(stream: 2, [2]))
    }

    @Test func nodesCarryTheLabelOfTheirTime() throws {
        var graph = Graph()
        graph.currentLabel = "dense"
        let value = try graph.input("x", [2])
        #expect(graph[value].label == "dense")
    }

    @Test func whatChangesNothingAddsNothing() throws {
        var graph = Graph()
        let x = try graph.input("x", [2, 1, 3])
        #expect(try graph.reshape(x, to: [2, 1, 3]) == x)
        #expect(try graph.broadcast(x, to: [2, 1, 3]) == x)
        #expect(try graph.slice(x, start: [0, 0, 0], shape: [2, 1, 3]) == x)
        #expect(try graph.pad(x, before: [0, 0, 0], after: [0, 0, 0]) == x)
        #expect(try graph.concatenate([x], axis: 0) == x)
        #expect(try graph.reduce(.sum, x, axes: [1], keepDimensions: true) == x)
        #expect(try graph.reduce(.sum, x, axes: []) == x)
        #expect(try graph.reshape(graph.reshape(x, to: [6]), to: [2, 1, 3]) == x)
        #expect(graph.nodes.count == 2)
    }

    @Test func operandsOfAnotherGraphAreRefused() throws {
        var graph = Graph()
        let x = try graph.input("x", [2])
        for stranger in [ValueID(index: 7), ValueID(index: -1)] {
            #expect(throws: GraftError.self) { try graph.binary(.add, x, stranger) }
        }
    }

    @Test func argumentsOfReductionsAndConcatenationsAreChecked() throws {
        var graph = Graph()
        let x = try graph.input("x", [2, 3])
        #expect(throws: GraftError.self) { try graph.reduce(.sum, x, axes: [2]) }
        #expect(throws: GraftError.self) { try graph.reduce(.sum, x, axes: [-3]) }
        #expect(throws: GraftError.self) { try graph.reduce(.sum, x, axes: [1, -1]) }
        #expect(throws: GraftError.self) { try graph.concatenate([x], axis: -3) }
        #expect(throws: GraftError.self) { try graph.concatenate([], axis: 0) }
    }

    @Test func aGraphWithContradictionsIsNotValid() throws {
        var twoShapes = Graph()
        twoShapes.outputs = try [twoShapes.input("x", [2]), twoShapes.input("x", [3])]
        var updatedTwice = Graph()
        let value = try updatedTwice.variable(VariableID(0), [2])
        updatedTwice.updates = [Graph.Update(variable: VariableID(0), value: value)]
        updatedTwice.updates += updatedTwice.updates
        var misshapen = Graph()
        _ = try misshapen.variable(VariableID(0), [2])
        misshapen.updates = [Graph.Update(variable: VariableID(0), value: try misshapen.constant(1))]
        var missing = Graph()
        missing.outputs = [ValueID(index: 0)]
        for graph in [twoShapes, updatedTwice, misshapen, missing] {
            #expect(throws: GraftError.self) { try graph.validate() }
        }
    }

    @Test func randomGraphsHoldEveryOperation() throws {
        var found: Set<String> = []
        for seed in 0..<600 {
            let random = try RandomGraph(seed: UInt64(seed) + 5000, operations: 2 + seed % 14)
            try random.graph.validate()
            found.formUnion(random.graph.nodes.map(\.operation.name))
            #expect(Set(random.graph.inputs.map(\.name)) == Set(random.inputs.keys))
        }
        let expected = OperationKind.unfused.map(\.description) + ["elementwise"]
        #expect(Set(expected).subtracting(found).isEmpty)
    }

    @Test func passesOverALargeGraphTakeTimeInProportion() throws {
        func seconds(_ layers: Int) throws -> Double {
            var graph = Graph()
            var value = try graph.input("x", [2, 4])
            let kernels = try (0..<layers).map { layer throws in try graph.variable(VariableID(layer), [4, 4]) }
            for kernel in kernels { value = try graph.unary(.relu, graph.matrixProduct(value, kernel)) }
            let loss = try graph.reduce(.sum, value)
            graph.outputs = try [loss] + graph.gradients(of: loss, withRespectTo: kernels)
            return try processorSeconds {
                _ = try graph.foldingNormalization().fusingEpilogues().fusingElementwise()
            }
        }
        let (small, large) = try (seconds(100), seconds(1000))
        // Ten times the nodes: linear is 10, quadratic 100; caches are shared with other programs.
        #expect(large < 40 * max(small, 0.005))
    }
}

@Suite struct DifferentiationErrorTests {
    @Test func aLossThatIsNoScalarIsRefused() throws {
        var graph = Graph()
        let x = try graph.input("x", [2])
        #expect { try graph.gradients(of: x, withRespectTo: [x]) } throws: {
            "\($0)" == "gradients: the loss must be a scalar, of shape (), its shape is (2,)"
        }
    }

    @Test func fusedOperationsAreRefused() throws {
        var graph = Graph()
        let x = try graph.input("x", [])
        let program = ElementwiseProgram(operandCount: 1, instructions: [.unary(.tanh, 0)])
        let loss = try graph.add(.elementwise(.fused(program)), [x])
        #expect { try graph.gradients(of: loss, withRespectTo: [x]) } throws: {
            "\($0)" == "gradients: the operation elementwise is already fused; differentiate before fusing"
        }
    }

    @Test func secondDerivativesOfMaxPoolingAreRefused() throws {
        var graph = Graph()
        let x = try graph.input("x", [1, 4, 4, 1])
        let pooled = try graph.maxPool(x, Window(size: Size2D(2), strides: Size2D(2)))
        let first = try graph.gradients(of: graph.reduce(.sum, graph.unary(.square, pooled)), withRespectTo: [x])[0]
        let loss = try graph.reduce(.sum, graph.unary(.square, first))
        #expect(throws: GraftError.self) { try graph.gradients(of: loss, withRespectTo: [x]) }
    }

    @Test func whatTheLossDoesNotDependOnHasGradientZero() throws {
        var graph = Graph()
        let (x, other) = try (graph.input("x", []), graph.input("other", [2]))
        let gradients = try graph.gradients(of: x, withRespectTo: [x, other])
        graph.outputs = gradients
        let zeros = ReferenceArray([0, 0], shape: [2])
        let outputs = try Interpreter.run(graph, inputs: ["x": ReferenceArray(3), "other": zeros]).outputs
        #expect(outputs == [ReferenceArray(1), zeros])
    }

    @Test func aFrozenVariableAddsNoNode() throws {
        var graph = Graph()
        let x = try graph.input("x", [2, 3])
        let (frozen, trained) = try (graph.variable(VariableID(0), [3, 4]), graph.variable(VariableID(1), [4, 5]))
        let loss = try graph.reduce(.sum, graph.matrixProduct(graph.matrixProduct(x, frozen), trained))
        let before = graph.nodes.count
        _ = try graph.gradients(of: loss, withRespectTo: [trained])
        let products = graph.nodes[before...].filter(\.operation.isProduct)
        #expect(products.count == 1)
    }

    @Test(
        arguments: [
            (.maximum, [1, 0]), (.minimum, [1, 0]),
        ] as [(BinaryFunction, [Double])])
    func aTieGoesToTheLeft(function: BinaryFunction, expected: [Double]) throws {
        var graph = Graph()
        let (left, right) = try (graph.input("left", []), graph.input("right", []))
        graph.outputs = try graph.gradients(of: graph.binary(function, left, right), withRespectTo: [left, right])
        let inputs = ["left": ReferenceArray(2), "right": ReferenceArray(2)]
        #expect(try Interpreter.run(graph, inputs: inputs).outputs.map { $0.values[0] } == expected)
    }

    @Test(arguments: [(-1, 0), (0, 0), (3, 1), (6, 0), (7, 0)] as [(Double, Double)])
    func cappedReluPassesNothingAtItsKinks(operand: Double, expected: Double) throws {
        var graph = Graph()
        let x = try graph.input("x", [])
        let y = try graph.binary(.minimum, graph.unary(.relu, x), 6)
        graph.outputs = try graph.gradients(of: y, withRespectTo: [x])
        #expect(try Interpreter.run(graph, inputs: ["x": ReferenceArray(operand)]).outputs[0].values == [expected])
    }
}
