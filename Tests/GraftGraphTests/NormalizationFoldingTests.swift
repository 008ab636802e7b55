import GraftGraph
import GraftTestSupport
import Testing

@Suite struct NormalizationFoldingTests {
    private func names(_ graph: Graph) -> [String] {
        graph.nodes.map(\.operation).filter { !$0.isLeaf }.map(\.name)
    }

    @Test func scaleAndShiftMoveIntoKernelAndBias() throws {
        var graph = Graph()
        let product = try graph.convolution(
            graph.input("x", [1, 4, 4, 2]), kernel: graph.variable(VariableID(0), [3, 3, 2, 5]))
        let scaled = try graph.binary(.multiply, product, graph.variable(VariableID(1), [5]))
        graph.outputs = [try graph.unary(.relu, graph.binary(.add, scaled, graph.variable(VariableID(2), [5])))]
        let folded = try graph.foldingNormalization()
        #expect(names(folded) == ["multiply", "convolution", "add", "relu"])
        #expect(folded.nodes.first { $0.operation.name == "multiply" }?.shape == [3, 3, 2, 5])
        #expect(names(try folded.fusingEpilogues()) == ["multiply", "convolution"])
    }

    @Test func everyFormOfScaleAndShiftKeepsTheResult() throws {
        var random = SplitMix(seed: 11)
        for seed in 0..<200 {
            var graph = Graph()
            var variables: [VariableID: ReferenceArray] = [:]
            let isConvolution = random.chance(0.5)
            let input: Shape = isConvolution ? [2, 4, 4, 3] : [2, 3]
            let x = try graph.input("x", input)
            func variable(_ shape: Shape) throws -> ValueID {
                let id = VariableID(variables.count)
                variables[id] = random.array(shape)
                return try graph.variable(id, shape)
            }
            var value: ValueID
            if isConvolution {
                let padding = EdgePadding(top: 1, bottom: 1, left: 1, right: 1)
                value = try graph.convolution(
                    x, kernel: variable([3, 3, 1, 6]), Convolution(padding: padding, groups: 3))
            } else {
                let transpose = random.chance(0.5)
                value = try graph.matrixProduct(x, variable(transpose ? [6, 3] : [3, 6]), transposeRight: transpose)
            }
            let shapes: [Shape] = [[6], [], isConvolution ? [1, 1, 1, 6] : [1, 6]]
            for _ in 0..<random.size(1...5) {
                let other = try variable(random.pick(shapes))
                switch random.size(0...3) {
                case 0: value = try graph.binary(.multiply, value, other)
                case 1: value = try graph.binary(.multiply, other, value)
                case 2: value = try graph.binary(.add, other, value)
                default: value = try graph.binary(.subtract, value, other)
                }
            }
            graph.outputs = [value]
            let inputs = ["x": random.array(input)]
            let folded = try graph.foldingNormalization()
            #expect(folded[folded.outputs[0]].operation.name != "multiply", "case \(seed)")
            try expectSameResults(
                Interpreter.run(folded, inputs: inputs, variables: variables),
                Interpreter.run(graph, inputs: inputs, variables: variables), "case \(seed)")
        }
    }

    @Test func aScaleMadeFromTheBatchStays() throws {
        var graph = Graph()
        let x = try graph.input("x", [2, 4, 4, 2])
        let product = try graph.convolution(x, kernel: graph.variable(VariableID(0), [1, 1, 2, 2]))
        let scale = try graph.reduce(.mean, x, axes: [0, 1, 2])
        graph.outputs = [try graph.binary(.multiply, product, scale)]
        #expect(try graph.foldingNormalization().nodes.count == graph.nodes.count)
    }

    @Test func aProductThatIsReadElsewhereStays() throws {
        var graph = Graph()
        let product = try graph.convolution(
            graph.input("x", [1, 4, 4, 2]), kernel: graph.variable(VariableID(0), [1, 1, 2, 2]))
        graph.outputs = [try graph.binary(.multiply, product, graph.variable(VariableID(1), [2])), product]
        #expect(names(try graph.foldingNormalization()) == ["convolution", "multiply"])
    }

    @Test func aProductOfTwoActivationsIsLeftAlone() throws {
        var graph = Graph()
        let product = try graph.matrixProduct(graph.input("q", [4, 4]), graph.input("k", [4, 4]))
        graph.outputs = [try graph.binary(.multiply, product, 0.5)]
        #expect(names(try graph.foldingNormalization()) == ["matrixProduct", "multiply"])
    }

    @Test func gradientsThroughTheFoldedKernelAreThoseOfTheUnfolded() throws {
        var network = try SampleNetwork(seed: 6, training: .nothing)
        let ids = network.variables.keys.sorted()
        func gradients(_ graph: Graph) throws -> Interpreter.Results {
            var graph = graph
            let values = try ids.map { id throws in try graph.variable(id, network.variables[id]?.shape ?? []) }
            graph.outputs = try graph.gradients(of: graph.outputs[0], withRespectTo: values)
            return try network.run(graph)
        }
        let expected = try gradients(network.graph)
        network.graph = try network.graph.foldingNormalization()
        try expectSameResults(gradients(network.graph), expected)
        #expect(expected.outputs.allSatisfy { $0.values.contains { $0 != 0 } })
    }
}
