/// Who reads what: computed when asked for, in one sweep each.
extension Graph {
    /// All values, in order.
    public var values: some RandomAccessCollection<ValueID> { nodes.indices.lazy.map { ValueID(index: $0) } }

    /// By value: the nodes that read it, in order, each once.
    public var consumers: [[ValueID]] {
        var consumers = [[ValueID]](repeating: [], count: nodes.count)
        for (index, node) in nodes.enumerated() {
            for operand in node.operands where consumers[operand.index].last?.index != index {
                consumers[operand.index].append(ValueID(index: index))
            }
        }
        return consumers
    }

    /// By value: how often it is read, by operands, outputs and updates together.
    public var useCounts: [Int] {
        var counts = [Int](repeating: 0, count: nodes.count)
        for node in nodes {
            for operand in node.operands { counts[operand.index] += 1 }
        }
        for value in roots { counts[value.index] += 1 }
        return counts
    }

    /// By value: whether an output or an update needs it.
    public var liveness: [Bool] {
        var isLive = [Bool](repeating: false, count: nodes.count)
        for value in roots { isLive[value.index] = true }
        for index in nodes.indices.reversed() where isLive[index] {
            for operand in nodes[index].operands { isLive[operand.index] = true }
        }
        return isLive
    }

    /// What a run is for: the outputs, then the updates' values.
    public var roots: [ValueID] { outputs + updates.map(\.value) }

    /// The inputs that the graph reads, in order.
    public var inputs: [(name: String, shape: Shape)] {
        nodes.compactMap { if case .leaf(.input(let name, let shape)) = $0.operation { (name, shape) } else { nil } }
    }

    /// By value: whether it or something it is made of satisfies a condition.
    func descends(from isSource: (Node) -> Bool) -> [Bool] {
        var descends: [Bool] = []
        descends.reserveCapacity(nodes.count)
        for node in nodes {
            descends.append(isSource(node) || node.operands.contains { descends[$0.index] })
        }
        return descends
    }
}
