import GraftGraph
import GraftTestSupport
import Testing

@Suite struct UpdateSchedulingTests {
    /// Ten dense layers of 32 units and plain gradient descent.
    private func deepStep() throws -> Graph {
        var graph = Graph()
        var value = try graph.input("x", [4, 32])
        let kernels = try (0..<10).map { layer throws in try graph.variable(VariableID(layer), [32, 32]) }
        for kernel in kernels { value = try graph.unary(.tanh, graph.matrixProduct(value, kernel)) }
        let loss = try graph.reduce(.mean, graph.unary(.square, value))
        let gradients = try graph.gradients(of: loss, withRespectTo: kernels)
        for (layer, (kernel, gradient)) in zip(kernels, gradients).enumerated() {
            let next = try graph.binary(.subtract, kernel, graph.binary(.multiply, gradient, 0.1))
            graph.updates.append(Graph.Update(variable: VariableID(layer), value: next))
        }
        graph.outputs = [loss]
        return graph
    }

    @Test func gradientsNeedNotWaitForTheEnd() throws {
        func arena(_ graph: Graph) throws -> Int {
            let fused = try graph.fusingEpilogues().fusingElementwise()
            var demands = MemoryPlan.Demands(fused)
            demands.updatesInPlace = true
            return try MemoryPlan(for: fused, demands: demands).arenaByteCount
        }
        let (late, early) = try (arena(deepStep()), arena(deepStep().schedulingUpdates()))
        let gradient = 32 * 32 * 4
        #expect(late > 10 * gradient)
        #expect(early < 4 * gradient)
    }

    @Test func anUpdateComesAfterEveryReaderOfItsVariable() throws {
        let graph = try SampleNetwork(seed: 10).graph.foldingNormalization().schedulingUpdates()
        let variables = Dictionary(
            uniqueKeysWithValues: graph.values.compactMap { value in
                if case .variable(let id, _) = graph[value].operation { (id, value) } else { nil }
            })
        let consumers = graph.consumers
        for update in graph.updates {
            let variable = try #require(variables[update.variable])
            #expect(consumers[variable.index].allSatisfy { $0 <= update.value || graph[$0].label == "optimizer" })
        }
    }
}
