extension Graph {
    /// The same graph with each update computed as soon as its gradient is there, in place of all at the end, so that
    /// gradients need not be kept until then: the memory of a training step is that of its activations.
    ///
    /// Moved are the elementwise operations and reductions that nothing but updates reads. One that makes a variable's
    /// next value still comes after every node that reads the present one, so that it may be written over it.
    ///
    /// - Complexity: O(n log n).
    public func schedulingUpdates() throws(GraftError) -> Graph {
        let times = updateTimes()
        var copy = GraphCopy(self)
        for value in values.sorted(by: { (times[$0.index], $0) < (times[$1.index], $1) }) { try copy.copy(value) }
        return try copy.finish()
    }

    /// By value: the position after which it is computed; its own where it is not moved.
    private func updateTimes() -> [Int] {
        let isMovable = updateTail()
        let lastReader = lastReaders(besides: isMovable)
        var updated: [ValueID: Int] = [:]
        for update in updates {
            updated[update.value] = max(updated[update.value] ?? 0, lastReader[update.variable] ?? 0)
        }
        var times = Array(nodes.indices)
        for value in values where isMovable[value.index] {
            let operands = self[value].operands.map { times[$0.index] }.max() ?? 0
            times[value.index] = max(operands, updated[value] ?? 0)
        }
        return times
    }

    /// By value: whether only updates need it and it is cheap.
    private func updateTail() -> [Bool] {
        var isTail = [Bool](repeating: false, count: nodes.count)
        for update in updates { isTail[update.value.index] = true }
        let consumers = consumers
        let isOutput = Set(outputs)
        for value in values.reversed() {
            let operation = self[value].operation
            let isRead = isTail[value.index] || !consumers[value.index].isEmpty
            isTail[value.index] =
                isRead && !isOutput.contains(value) && !operation.isLeaf && operation.isPartOfUpdates
                && consumers[value.index].allSatisfy { isTail[$0.index] }
        }
        return isTail
    }

    /// By variable: the last node outside of the updates that reads it.
    private func lastReaders(besides isMovable: [Bool]) -> [VariableID: Int] {
        var origin: [ValueID: VariableID] = [:]
        var last: [VariableID: Int] = [:]
        for value in values {
            let node = self[value]
            if case .variable(let id, _) = node.operation { origin[value] = id }
            for id in node.operands.compactMap({ origin[$0] }) {
                if node.operation.isReshape { origin[value] = id }
                if !isMovable[value.index] { last[id] = value.index }
            }
        }
        return last
    }
}

extension Operation {
    fileprivate var isPartOfUpdates: Bool {
        switch self {
        case .reduction, .reshape, .broadcast: true
        default: elementwiseProgram != nil
        }
    }
}
