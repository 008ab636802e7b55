import GraftGraph
import GraftTestSupport
import Testing

@Suite struct MemoryPlanTests {
    @Test func randomGraphsNeverLoseAValueThatIsStillNeeded() throws {
        for seed in 0..<400 {
            let random = try RandomGraph(seed: UInt64(seed) + 9000, operations: 2 + seed % 20)
            let graph = seed.isMultiple(of: 2) ? random.graph : try random.graph.fusingElementwise()
            var demands = MemoryPlan.Demands(graph)
            demands.updatesInPlace = seed.isMultiple(of: 3)
            if seed.isMultiple(of: 5) { demands.external = Set(graph.outputs.filter { !graph[$0].operation.isLeaf }) }
            for index in graph.nodes.indices where (seed + index).isMultiple(of: 7) {
                demands.scratchByteCounts[index] = 100 + index
            }
            var simulation = try Simulation(graph, demands, "\(random)")
            simulation.run()
        }
    }

    @Test func gradientGraphsNeverLoseAValueThatIsStillNeeded() throws {
        for seed in 0..<60 {
            let random = try RandomGraph(
                seed: UInt64(seed) + 9500, operations: 10, of: OperationKind.differentiable)
            var (graph, loss) = try random.withLoss()
            let ids = random.variables.keys.sorted()
            let values = try ids.map { id throws in try graph.variable(id, random.variables[id]?.shape ?? []) }
            let gradients = try graph.gradients(of: loss, withRespectTo: values)
            for (id, (value, gradient)) in zip(ids, zip(values, gradients)) {
                let next = try graph.binary(.subtract, value, graph.binary(.multiply, gradient, 0.1))
                graph.updates.append(Graph.Update(variable: id, value: next))
            }
            let fused = try graph.pruned().fusingEpilogues().fusingElementwise()
            var demands = MemoryPlan.Demands(fused)
            demands.updatesInPlace = true
            var simulation = try Simulation(fused, demands, "\(random)")
            simulation.run()
        }
    }

    @Test func aChainOfFunctionsRunsInOneBuffer() throws {
        var graph = Graph()
        var value = try graph.unary(.exponential, graph.input("x", [10, 10]))
        for _ in 0..<5 { value = try graph.unary(.tanh, value) }
        graph.outputs = [value]
        let plan = try MemoryPlan(for: graph)
        #expect(plan.arenaByteCount == 448)  // 400, rounded up to a multiple of 64
        #expect(plan.valueByteCount == 6 * 400)
        #expect(graph.values.dropFirst().allSatisfy { plan.location(of: $0) == .arena(0) })
    }

    @Test func inputsVariablesAndConstantsStayOutside() throws {
        var graph = Graph()
        let input = try graph.input("x", [2, 3])
        let flat = try graph.reshape(input, to: [6])
        graph.outputs = [try graph.unary(.exponential, flat)]
        let plan = try MemoryPlan(for: graph)
        #expect(plan.location(of: input) == .external(input, byteOffset: 0))
        #expect(plan.location(of: flat) == .external(input, byteOffset: 0))
    }

    @Test func anOutputThatReshapesIsMadeWhereItIsWanted() throws {
        var graph = Graph()
        let made = try graph.unary(.exponential, graph.input("x", [2, 3]))
        let flat = try graph.reshape(made, to: [6])
        graph.outputs = [flat]
        var demands = MemoryPlan.Demands(graph)
        demands.external = [flat]
        let plan = try MemoryPlan(for: graph, demands: demands)
        #expect(plan.location(of: made) == .external(flat, byteOffset: 0))
        #expect(plan.arenaByteCount == 0)
    }

    @Test func operandsOfAConcatenationCanLiveInsideItsResult() throws {
        var graph = Graph()
        let input = try graph.input("x", [4, 4])
        let parts = try [graph.unary(.exponential, input), graph.unary(.tanh, input)]
        let joined = try graph.concatenate(parts, axis: 0)
        graph.outputs = [joined]
        var demands = MemoryPlan.Demands(graph)
        demands.placements[parts[0]] = .init(in: joined, byteOffset: 0)
        demands.placements[parts[1]] = .init(in: joined, byteOffset: 64)
        let plan = try MemoryPlan(for: graph, demands: demands)
        #expect(plan.arenaByteCount == 128)
        #expect(plan.location(of: parts[1]) == .arena(64))
        var simulation = try Simulation(graph, demands, "concatenation")
        simulation.run()
    }

    @Test func anUpdateIsWrittenOverItsVariableOnlyAfterTheLastReader() throws {
        var graph = Graph()
        let variable = try graph.variable(VariableID(0), [8])
        let next = try graph.binary(.multiply, variable, 0.5)
        graph.updates = [Graph.Update(variable: VariableID(0), value: next)]
        var demands = MemoryPlan.Demands(graph)
        demands.updatesInPlace = true
        #expect(
            try MemoryPlan(for: graph, demands: demands).location(of: next) == .external(variable, byteOffset: 0))

        graph.outputs = [try graph.unary(.exponential, variable)]
        demands = MemoryPlan.Demands(graph)
        demands.updatesInPlace = true
        #expect(try MemoryPlan(for: graph, demands: demands).location(of: next) == .arena(0))
    }

    @Test func aBroadcastOperandIsNotOverwritten() throws {
        var graph = Graph()
        let row = try graph.unary(.exponential, graph.input("row", [1, 4]))
        let sum = try graph.binary(.add, row, graph.input("x", [4, 4]))
        graph.outputs = [sum]
        let plan = try MemoryPlan(for: graph)
        #expect(plan.location(of: row) != plan.location(of: sum))
    }

    @Test func aValueTooLargeForAnyMachineThrows() throws {
        var graph = Graph()
        graph.outputs = [try graph.unary(.tanh, graph.input("x", [1 << 30, 1 << 28]))]
        #expect(throws: GraftError.self) { try MemoryPlan(for: graph) }
    }

    @Test func theArenaIsNotMuchLargerThanWhatIsAliveAtOnce() throws {
        var (arena, peak, sum) = (0, 0, 0)
        for seed in 0..<100 {
            let random = try RandomGraph(seed: UInt64(seed) + 9900, operations: 30)
            let plan = try MemoryPlan(for: random.graph)
            #expect(plan.arenaByteCount >= plan.peakByteCount)
            arena += plan.arenaByteCount
            peak += plan.peakByteCount
            sum += plan.valueByteCount
        }
        // The bound is what the search reaches with a little room; a search without reuse would need several times it.
        #expect(Double(arena) < 1.05 * Double(peak))
        #expect(arena < sum)
    }
}

/// Runs a plan on memory whose every word knows whose it is, and expects each reader to find what was written for it.
private struct Simulation {
    private let graph: Graph
    private let demands: MemoryPlan.Demands
    private let plan: MemoryPlan
    private let title: String
    private var arena: [ValueID?]
    private var outside: [ValueID: [ValueID?]] = [:]

    init(_ graph: Graph, _ demands: MemoryPlan.Demands, _ title: String) throws {
        (self.graph, self.demands, self.title) = (graph, demands, title)
        plan = try MemoryPlan(for: graph, demands: demands)
        arena = [ValueID?](repeating: nil, count: plan.arenaByteCount)
        for value in graph.values {
            outside[value] = [ValueID?](repeating: nil, count: demands.byteCounts[value.index])
        }
    }

    mutating func run() {
        for value in graph.values where isGiven(value) { write(value) }
        for value in graph.values where !isGiven(value) {
            clobberScratch(of: value)
            for operand in graph[value].operands { expectIntact(operand, "before value \(value.index)") }
            write(value)
        }
        for root in graph.roots { expectIntact(root, "at the end") }
    }

    /// Whether a value is there before the run.
    private func isGiven(_ value: ValueID) -> Bool {
        switch graph[value].operation {
        case .input, .variable, .constant: true
        default: false
        }
    }

    /// The value whose bytes these are: a reshape's are its operand's.
    private func origin(of value: ValueID) -> ValueID {
        if case .reshape = graph[value].operation { origin(of: graph[value].operands[0]) } else { value }
    }

    private mutating func write(_ value: ValueID) {
        let size = demands.byteCounts[value.index]
        switch plan.location(of: value) {
        case .arena(let start):
            #expect(start.isMultiple(of: 64) || demands.placements[value] != nil, "\(title)")
            for byte in start..<start + size { arena[byte] = origin(of: value) }
        case .external(let owner, let start):
            let origin = origin(of: value)
            for byte in start..<start + size { outside[owner]?[byte] = origin }
        }
    }

    private func expectIntact(_ value: ValueID, _ when: String) {
        let size = demands.byteCounts[value.index]
        let bytes =
            switch plan.location(of: value) {
            case .arena(let start): arena[start..<start + size]
            case .external(let owner, let start): (outside[owner] ?? [])[start..<start + size]
            }
        let stranger = bytes.first { $0 != origin(of: value) }
        #expect(stranger == nil, "value \(value.index) is lost \(when) of \(title)")
    }

    /// Writes over a node's scratch memory before its operands are read.
    private mutating func clobberScratch(of value: ValueID) {
        guard let start = plan.scratchOffset(of: value) else { return }
        for byte in start..<start + demands.scratchByteCounts[value.index] { arena[byte] = nil }
        if case .arena(let result) = plan.location(of: value) {
            let overlap = (start..<start + demands.scratchByteCounts[value.index])
                .overlaps(result..<result + demands.byteCounts[value.index])
            #expect(!overlap, "\(title)")
        }
    }
}
