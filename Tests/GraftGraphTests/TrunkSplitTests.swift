import GraftGraph
import GraftTestSupport
import Testing

@Suite struct TrunkSplitTests {
    @Test func trunkAndRestTogetherAreTheWholeNetwork() throws {
        for fold in [false, true] {
            let network = try SampleNetwork(seed: 8, training: .head)
            let graph = try fold ? network.graph.foldingNormalization() : network.graph
            let split = try #require(try graph.splittingTrunk(changing: []))
            #expect(split.isWorthKeeping)
            #expect(split.trunk.updates.isEmpty)
            // The 4 × 4 × 7 concatenation, before the reshape that flattens it, and the labels, which pass through: a
            // model is split before it has a loss.
            #expect(Set(split.featureShapes) == [[3, 4, 4, 7], [3, 4]])
            try expectSameResults(runInTwo(split, network), network.run())
        }
    }

    private func runInTwo(_ split: TrunkSplit, _ network: SampleNetwork) throws -> Interpreter.Results {
        var inputs = network.inputs.filter { $0.key != "image" }
        for (position, feature) in try network.run(split.trunk).outputs.enumerated() {
            inputs[TrunkSplit.inputName(of: position)] = feature
        }
        return try Interpreter.run(split.rest, inputs: inputs, variables: network.variables, randomKey: 7)
    }

    @Test func aNetworkThatTrainsThroughoutHasNoTrunkWorthKeeping() throws {
        let network = try SampleNetwork(seed: 8, training: .everything)
        let split = try network.graph.splittingTrunk(changing: [])
        #expect(split?.isWorthKeeping != true)
    }

    @Test func theRestKeepsItsLabels() throws {
        let network = try SampleNetwork(seed: 8, training: .head)
        let split = try #require(try network.graph.splittingTrunk(changing: []))
        #expect(split.rest.nodes.contains { $0.label == "head" })
        #expect(split.trunk.nodes.contains { $0.label == "branch3" })
    }

    @Test func aFunctionOfAFeatureIsNotKeptBesideIt() throws {
        var graph = Graph()
        let product = try graph.matrixProduct(graph.input("x", [2, 3]), graph.variable(VariableID(0), [3, 4]))
        let active = try graph.unary(.relu, product)
        let changing = try graph.variable(VariableID(1), [4])
        graph.outputs = try [graph.binary(.multiply, product, changing), graph.binary(.multiply, active, changing)]
        let split = try #require(try graph.splittingTrunk(changing: [VariableID(1)]))
        #expect(split.featureShapes == [[2, 4]])
        #expect(split.trunk.nodes.allSatisfy { $0.operation != .elementwise(.unary(.relu)) })
    }

    /// An inception block: convolutions and a pooling of the same value, of which the convolutions train.
    @Test func aPoolingOfAFeatureIsNotKeptBesideIt() throws {
        var graph = Graph()
        let window = Window(
            size: Size2D(3), strides: Size2D(1), padding: EdgePadding(top: 1, bottom: 1, left: 1, right: 1))
        let frozen = try graph.variable(VariableID(0), [1, 1, 3, 4])
        let border = try graph.convolution(graph.input("x", [2, 5, 5, 3]), kernel: frozen, Convolution())
        let pooled = try graph.averagePool(border, window)
        let kernels = try (1...2).map { try graph.variable(VariableID($0), [1, 1, 4, 2]) }
        graph.outputs = try zip([border, pooled], kernels).map {
            try graph.convolution($0, kernel: $1, Convolution())
        }
        let split = try #require(try graph.splittingTrunk(changing: [VariableID(1), VariableID(2)]))
        #expect(split.featureShapes == [[2, 5, 5, 4]])
        // Where nobody else reads the border, the smaller of both is kept.
        graph.outputs = [graph.outputs[1]]
        let alone = try #require(try graph.splittingTrunk(changing: [VariableID(2)]))
        #expect(alone.featureShapes == [[2, 5, 5, 4]])
    }

    /// Strides of two leave a quarter to keep.
    @Test func aPoolingThatShrinksIsKeptInPlaceOfWhatItPools() throws {
        var graph = Graph()
        let window = Window(size: Size2D(2), strides: Size2D(2))
        let frozen = try graph.variable(VariableID(0), [1, 1, 3, 4])
        let border = try graph.convolution(graph.input("x", [2, 6, 6, 3]), kernel: frozen, Convolution())
        let pooled = try graph.maxPool(border, window)
        let kernel = try graph.variable(VariableID(1), [1, 1, 4, 2])
        graph.outputs = [try graph.convolution(pooled, kernel: kernel, Convolution())]
        let split = try #require(try graph.splittingTrunk(changing: [VariableID(1)]))
        #expect(split.featureShapes == [[2, 3, 3, 4]])
    }

    @Test func aRepetitionIsMadeAfterTheCut() throws {
        var graph = Graph()
        let product = try graph.matrixProduct(graph.input("x", [2, 3]), graph.variable(VariableID(0), [3, 4]))
        let wide = try graph.broadcast(graph.reshape(product, to: [2, 1, 4]), to: [2, 5, 4])
        graph.outputs = [try graph.binary(.multiply, wide, graph.variable(VariableID(1), [4]))]
        let split = try #require(try graph.splittingTrunk(changing: [VariableID(1)]))
        #expect(split.featureShapes == [[2, 4]])
    }

    /// A dense layer over a sequence multiplies the positions of all examples as rows of one matrix.
    @Test(arguments: [1, 2, 3]) func rowsOfASequenceStayWithTheirExample(batch: Int) throws {
        var graph = Graph()
        let x = try graph.input("x", [batch, 5, 3])
        let rows = try graph.matrixProduct(
            graph.reshape(x, to: [batch * 5, 3]), graph.variable(VariableID(0), [3, 4]))
        let words = try graph.reshape(graph.unary(.relu, rows), to: [batch, 5, 4])
        let changing = try graph.variable(VariableID(1), [4])
        // Attention: heads beside the batch.
        let heads = try graph.permute(graph.reshape(words, to: [batch, 5, 2, 2]), axes: [0, 2, 1, 3])
        let merged = try graph.reshape(heads, to: [batch * 2, 5, 2])
        let scores = try graph.batchedMatrixProduct(merged, merged, transposeRight: true)
        var random = SplitMix(seed: 3)
        let inputs = ["x": random.array([batch, 5, 3])]
        let variables = [VariableID(0): random.array([3, 4]), VariableID(1): random.array([4])]
        // The rows of an example get an axis of their own where they are handed over.
        for (value, shape) in [(words, [batch, 5, 4]), (rows, [batch, 5, 4]), (scores, [batch, 2, 5, 5])] {
            var graph = graph
            graph.outputs = [try graph.binary(.multiply, value, graph.reduce(.sum, changing))]
            let split = try #require(try graph.splittingTrunk(changing: [VariableID(1)]))
            #expect(split.isWorthKeeping && split.featureShapes == [Shape(shape)])
            let features = try Interpreter.run(split.trunk, inputs: inputs, variables: variables).outputs
            let results = try Interpreter.run(
                split.rest, inputs: [TrunkSplit.inputName(of: 0): features[0]], variables: variables)
            try expectSameResults(results, Interpreter.run(graph, inputs: inputs, variables: variables))
        }
    }

    /// Rows that are not as many for each example, and rows whose order mixes them.
    @Test func aReshapeThatPartsAnExampleEndsTheTrunk() throws {
        let mixers: [(inout Graph, ValueID) throws -> ValueID] = [
            { graph, x in try graph.reshape(x, to: [3, 8]) },
            { graph, x in try graph.reshape(graph.permute(x, axes: [1, 0]), to: [12, 2]) },
            { graph, x in
                let rows = try graph.reshape(x, to: [12, 2])
                return try graph.binary(.subtract, rows, graph.reduce(.mean, rows, axes: [0], keepDimensions: true))
            },
        ]
        for (position, mixer) in mixers.enumerated() {
            var graph = Graph()
            let x = try graph.matrixProduct(graph.input("x", [4, 6]), graph.variable(VariableID(0), [6, 6]))
            let mixed = try mixer(&graph, x)
            let kernel = try graph.variable(VariableID(1), [graph.shape(of: mixed)[1], 2])
            graph.outputs = [try graph.unary(.tanh, graph.matrixProduct(mixed, kernel))]
            let split = try #require(try graph.splittingTrunk(changing: []))
            #expect(split.trunk.nodes.count { $0.operation.isProduct } == 1, "mixer \(position)")
            #expect(split.rest.nodes.contains { $0.operation.isProduct }, "mixer \(position)")
        }
    }

    @Test func whatMixesTheBatchIsNoTrunk() throws {
        let mixers: [(inout Graph, ValueID) throws -> ValueID] = [
            { graph, x in try graph.broadcast(graph.reduce(.mean, x, axes: [0], keepDimensions: true), to: [4, 4]) },
            { graph, x in try graph.matrixProduct(x, x, transposeLeft: true) },
            { graph, x in try graph.matrixProduct(x, x) },
            { graph, x in try graph.reshape(graph.unary(.exponential, graph.reshape(x, to: [2, 8])), to: [4, 4]) },
            { graph, x in try graph.pad(graph.slice(x, start: [1, 0], shape: [3, 4]), before: [1, 0], after: [0, 0]) },
            { graph, x in try graph.binary(.add, x, graph.variable(VariableID(7), [4, 4])) },
            { graph, x in try graph.binary(.add, x, graph.randomUniform(stream: 0, [4, 4])) },
            { graph, x in try graph.slice(graph.concatenate([x, x], axis: 0), start: [2, 0], shape: [4, 4]) },
        ]
        for (position, mixer) in mixers.enumerated() {
            var graph = Graph()
            let x = try graph.matrixProduct(graph.input("x", [4, 4]), graph.variable(VariableID(0), [4, 4]))
            let mixed = try mixer(&graph, x)
            graph.outputs = [try graph.unary(.tanh, graph.matrixProduct(mixed, graph.variable(VariableID(0), [4, 4])))]
            let split = try #require(try graph.splittingTrunk(changing: []))
            let products = split.rest.nodes.filter(\.operation.isProduct)
            #expect(
                products.contains {
                    $0.operation == .product(MatrixProduct())
                },
                "mixer \(position)")
        }
    }

    @Test func inRandomGraphsAFeatureDependsOnItsOwnExampleOnly() throws {
        var found = 0
        for seed in 0..<400 {
            let random = try RandomGraph(seed: UInt64(seed) + 20_000, operations: 3 + seed % 10)
            let changing = Set(random.variables.keys.filter { ($0.rawValue + seed).isMultiple(of: 4) })
            guard let split = try random.graph.splittingTrunk(changing: changing) else { continue }
            found += 1
            let features = try random.run(split.trunk).outputs
            try expectWholeAgain(random, split, features)
            try expectIndependence(random, split.trunk, features, row: seed % 2)
        }
        #expect(found > 100)
    }

    private func expectWholeAgain(_ random: RandomGraph, _ split: TrunkSplit, _ features: [ReferenceArray]) throws {
        var inputs = random.inputs
        for (position, feature) in features.enumerated() { inputs[TrunkSplit.inputName(of: position)] = feature }
        let results = try Interpreter.run(
            split.rest, inputs: inputs, variables: random.variables, randomKey: random.randomKey)
        try expectSameResults(results, random.run(), "\(random)")
    }

    /// Changes one row of every input and expects the other rows of every feature to stay.
    private func expectIndependence(
        _ random: RandomGraph, _ trunk: Graph, _ features: [ReferenceArray], row: Int
    ) throws {
        let moved = random.inputs.mapValues { input in
            var input = input
            let stride = input.shape.rank > 0 ? input.shape.strides[0] : 0
            guard input.shape.rank > 0, row < input.shape[0] else { return input }
            for position in row * stride..<(row + 1) * stride { input.values[position] += 0.125 }
            return input
        }
        let after = try Interpreter.run(trunk, inputs: moved, variables: random.variables).outputs
        for (before, after) in zip(features, after) {
            let stride = before.shape.strides[0]
            let isOther = { (position: Int) in position / stride != row }
            let expected = before.values.indices.filter(isOther).map { before.values[$0] }
            #expect(after.values.indices.filter(isOther).map { after.values[$0] } == expected, "\(random)")
        }
    }
}
