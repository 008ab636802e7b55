/// A graph divided in two: some values that the first part computes, the second takes as inputs.
struct GraphCut {
    let graph: Graph
    /// By value: whether the first part computes it. Values that both parts may compute for themselves, such as
    /// weights, do not belong to it.
    let isFirst: [Bool]
    /// Whether a node is so cheap that the second part may repeat it where that makes the cut smaller.
    let mayRepeat: (Operation) -> Bool
    /// Under which shape a value that crosses is handed over.
    let handedShape: (ValueID) -> Shape

    /// The values that cross the cut: what the second part, or a run's results, read of the first; moved back through
    /// nodes that may be repeated to where there is least to hand over.
    func crossingValues() -> [ValueID] {
        var border = Set(graph.roots.filter { isFirst[$0.index] })
        for value in graph.values where !isFirst[value.index] {
            border.formUnion(graph[value].operands.filter { isFirst[$0.index] })
        }
        return Set(border.map { source(of: $0, border: border) }).sorted()
    }

    /// Where to cut in place of a value: the smallest value that it follows from by cheap steps alone, or one that
    /// crosses anyway. A reshape is free, so what it reads comes before it even though it is no smaller.
    private func source(of value: ValueID, border: Set<ValueID>) -> ValueID {
        var (best, current) = (value, value)
        while mayRepeat(graph[current].operation), let carrier = soleCarrier(of: current) {
            if border.contains(carrier) { return source(of: carrier, border: border) }
            let (size, smallest) = (graph.shape(of: carrier).elementCount, graph.shape(of: best).elementCount)
            if size < smallest || (best == current && size == smallest && graph[current].operation.isReshape) {
                best = carrier
            }
            current = carrier
        }
        return best
    }

    /// The one value of the first part that a node reads, where it reads one.
    private func soleCarrier(of value: ValueID) -> ValueID? {
        let carriers = Set(graph[value].operands.filter { isFirst[$0.index] })
        return carriers.count == 1 ? carriers.first : nil
    }

    /// The two graphs: the first puts out the crossing values, the second takes them as inputs `prefix.0`, `prefix.1`, …
    /// and has the whole graph's outputs and updates. They are handed over as float32, which holds integers up to 2²⁴. Names of
    /// layers stay with the nodes.
    func split(
        at crossing: [ValueID], inputPrefix prefix: String
    ) throws(GraftError) -> (first: Graph, second: Graph) {
        var first = graph
        first.updates = []
        first.outputs = []
        for value in crossing {
            let output = try first.cast(value, to: .float32)
            try first.outputs.append(first.reshape(output, to: handedShape(value)))
        }
        let positions = Dictionary(uniqueKeysWithValues: crossing.enumerated().map { ($1, $0) })
        var copy = GraphCopy(graph)
        for (value, isNeeded) in zip(graph.values, nodesNeeded(after: positions)) where isNeeded {
            if let position = positions[value] {
                let input = try copy.result.input("\(prefix).\(position)", handedShape(value))
                let same = try copy.result.reshape(input, to: graph.shape(of: value))
                try copy.replace(value, by: copy.result.cast(same, to: graph[value].elementType))
            } else {
                try copy.copy(value)
            }
        }
        return try (first.pruned().verified(), copy.finish())
    }

    /// By value: whether the second part needs it, which stops at what is handed over.
    private func nodesNeeded(after crossing: [ValueID: Int]) -> [Bool] {
        var isNeeded = [Bool](repeating: false, count: graph.nodes.count)
        for root in graph.roots { isNeeded[root.index] = true }
        for value in graph.values.reversed() where isNeeded[value.index] && crossing[value] == nil {
            for operand in graph[value].operands { isNeeded[operand.index] = true }
        }
        return isNeeded
    }
}
