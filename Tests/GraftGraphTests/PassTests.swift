import GraftGraph
import GraftTestSupport
import Testing

/// What every pass must do: leave the results as they are.
@Suite struct PassTests {
    enum Pass: String, CaseIterable, CustomTestStringConvertible {
        case pruned, fusingEpilogues, fusingElementwise, all

        var testDescription: String { rawValue }

        func callAsFunction(_ graph: Graph) throws -> Graph {
            switch self {
            case .pruned: try graph.pruned()
            case .fusingEpilogues: try graph.fusingEpilogues()
            case .fusingElementwise: try graph.fusingElementwise()
            case .all: try graph.pruned().fusingEpilogues().fusingElementwise()
            }
        }
    }

    @Test(arguments: Pass.allCases)
    func aPassKeepsTheResultsOfRandomGraphs(pass: Pass) throws {
        for seed in 0..<300 {
            let random = try RandomGraph(seed: UInt64(seed) + 5000, operations: 2 + seed % 14)
            try expectSameResults(random, random.graph, pass(random.graph))
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
            try expectSameResults(random, graph, pass(graph))
        }
    }

    private func expectSameResults(_ random: RandomGraph, _ before: Graph, _ after: Graph) throws {
        try after.validate()
        let expected = try random.run(before)
        let actual = try random.run(after)
        #expect(actual.outputs.count == expected.outputs.count)
        // The order of additions may change: a few units in the last place of 64 bits.
        for (actual, expected) in zip(actual.outputs, expected.outputs) {
            expectClose(actual, expected, tolerance: 1e-11, "\(random)")
        }
        #expect(actual.updates.keys.sorted() == expected.updates.keys.sorted())
        for (id, expected) in expected.updates {
            expectClose(actual.updates[id] ?? ReferenceArray(.nan), expected, tolerance: 1e-11, "\(random)")
        }
    }
}
