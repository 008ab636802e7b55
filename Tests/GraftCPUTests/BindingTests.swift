import GraftCPU
import GraftTestSupport
import Testing

/// What a plan keeps of its variables' values.
@Suite struct BindingTests {
    /// `w − x`, whose first output is the sum of `x`.
    private func plan() throws -> CPUPlan {
        var graph = Graph()
        let x = try graph.input("x", [64])
        let w = try graph.variable(VariableID(0), [64])
        graph.outputs = [try graph.reduce(.sum, x)]
        graph.updates = [.init(variable: VariableID(0), value: try graph.binary(.subtract, w, x))]
        var options = CPUOptions(threads: 1)
        options.skipsNonFiniteUpdates = true
        return try CPUPlan(graph, options: options)
    }

    /// While somebody shares a variable's memory, its next value is prepared in other memory. A run that stops before it
    /// has written that must not leave it behind: the next run, which may write in place again, would end with it.
    @Test func aRunThatStopsLeavesNoHalfWrittenValueBehind() throws {
        let plan = try plan()
        var shared: [VariableID: Tensor]? = [VariableID(0): Tensor([Float](repeating: 5, count: 64), shape: [64])]
        try plan.bind(shared ?? [:])
        let loss = try plan.run(["x": Tensor([Float](repeating: .nan, count: 64), shape: [64])])[0]
        #expect(loss[0].isNaN)
        #expect(plan.value(of: VariableID(0))?.scalars == [Float](repeating: 5, count: 64))
        shared = nil
        _ = try plan.run(["x": Tensor([Float](repeating: 2, count: 64), shape: [64])])
        #expect(plan.value(of: VariableID(0))?.scalars == [Float](repeating: 3, count: 64))
    }
}
