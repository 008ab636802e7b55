import GraftGraph
import GraftTestSupport
import Testing

@Suite struct GradientTests {
    @Test(arguments: Set(OperationKind.differentiable).sorted { $0.description < $1.description })
    func eachOperationAgreesWithFiniteDifferencesInEveryElement(kind: OperationKind) throws {
        for seed in 0..<6 {
            let random = try RandomGraph(seed: UInt64(seed) + 1000, operations: 1, of: [kind])
            try random.expectGradientsMatchFiniteDifferences(directions: nil)
        }
    }

    @Test func randomGraphsAgreeWithFiniteDifferences() throws {
        for seed in 0..<600 {
            let random = try RandomGraph(
                seed: UInt64(seed), operations: 3 + seed % 8, of: OperationKind.differentiable)
            try random.expectGradientsMatchFiniteDifferences(directions: 2)
        }
    }

    @Test func gradientsOfGradientsAgreeWithFiniteDifferences() throws {
        let kinds = OperationKind.differentiable.filter { $0 != .maxPooling }
        for seed in 0..<100 {
            var random = try RandomGraph(seed: UInt64(seed) + 2000, operations: 1 + seed % 4, of: kinds)
            var (graph, loss) = try random.withLoss()
            let values = try random.variables.keys.sorted().map { id throws in
                try graph.variable(id, random.variables[id]?.shape ?? [])
            }
            graph.outputs = try graph.gradients(of: loss, withRespectTo: values)
            random.graph = graph
            try random.expectGradientsMatchFiniteDifferences(directions: 2)
        }
    }
}
