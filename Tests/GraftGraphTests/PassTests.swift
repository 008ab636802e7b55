import GraftGraph
import GraftTestSupport
import Testing

/// What every pass must do: leave the results as they are.
@Suite struct PassTests {
    enum Pass: String, CaseIterable, CustomTestStringConvertible {
        case pruned, foldingNormalization, fusingEpilogues, delayingPooling, fusingElementwise, all

        var testDescription: String { rawValue }

        func callAsFunction(_ graph: Graph) throws -> Graph {
            switch self {
            case .pruned: try graph.pruned()
            case .foldingNormalization: try graph.foldingNormalization()
            case .fusingEpilogues: try graph.fusingEpilogues()
            case .delayingPooling: try graph.fusingEpilogues().delayingPooling()
            case .fusingElementwise: try graph.fusingElementwise()
            case .all:
                try graph.pruned().foldingNormalization().fusingEpilogues().delayingPooling().fusingElementwise()
            }
        }
    }

    @Test(arguments: Pass.allCases)
    func aPassKeepsTheResultsOfRandomGraphs(pass: Pass) throws {
        for seed in 0..<300 {
            let random = try RandomGraph(seed: UInt64(seed) + 5000, operations: 2 + seed % 14)
            let after = try pass(random.graph)
            try after.validate()
            try expectSameResults(random.run(after), random.run(), "\(random)")
        }
    }

    @Test(arguments: Pass.allCases)
    func aPassKeepsTheGradientsOfRandomGraphs(pass: Pass) throws {
        for seed in 0..<100 {
            let random = try RandomGraph(
                seed: UInt64(seed) + 6000, operations: 2 + seed % 8, of: OperationKind.differentiable)
            var (graph, loss) = try random.withLoss()
            let values = try random.variables.keys.sorted().map { id throws in
                try graph.variable(id, random.variables[id]?.shape ?? [])
            }
            graph.outputs = try [loss] + graph.gradients(of: loss, withRespectTo: values)
            try expectSameResults(random.run(pass(graph)), random.run(graph), "\(random)")
        }
    }

    @Test(arguments: Pass.allCases)
    func aPassKeepsTheResultsOfATrainingStep(pass: Pass) throws {
        for training in [SampleNetwork.Training.nothing, .head, .everything] {
            let network = try SampleNetwork(seed: 3, training: training)
            try expectSameResults(network.run(pass(network.graph)), network.run(), "training \(training)")
        }
    }

    @Test(arguments: Pass.allCases)
    func aPassDoneTwiceFindsNothingMore(pass: Pass) throws {
        let once = try pass(SampleNetwork(seed: 4).graph)
        #expect(try pass(once).nodes.count == once.nodes.count)
    }

    @Test func theSampleNetworksGradientsAgreeWithItsUpdates() throws {
        // v' = 0.9 v + 0.1 g² and w' = w − 0.01 g / √(v' + 1e-7): each checks the other's gradient by hand.
        let network = try SampleNetwork(seed: 5)
        let updates = try network.run().updates
        for (id, state) in zip(network.trained, updates.keys.sorted().suffix(network.trained.count)) {
            let (old, new) = try (#require(network.variables[id]), #require(updates[id]))
            let (oldState, newState) = try (#require(network.variables[state]), #require(updates[state]))
            for position in old.values.indices {
                let step = (old.values[position] - new.values[position]) / 0.01
                let gradient = step * (newState.values[position] + 1e-7).squareRoot()
                let expected = 0.9 * oldState.values[position] + 0.1 * gradient * gradient
                // Constants of the graph are 32 bits wide.
                expectClose(newState.values[position], expected, tolerance: 1e-6)
            }
        }
    }
}
