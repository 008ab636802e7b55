/// Decides which values share memory, and how long each piece of memory is needed.
///
/// Every value is at some offset inside the memory of its owner; an owner owns itself.
struct MemorySharing {
    private let graph: Graph
    private let demands: MemoryPlan.Demands
    /// By value: whose memory it is in and where; `nil` for an owner.
    private var holders: [(value: ValueID, byteOffset: Int)?]
    /// By value that owns its memory: from the first node that writes it to the last that reads it.
    private var lifetimes: [ClosedRange<Int>] = []
    private let isContainer: Set<ValueID>

    init(_ graph: Graph, _ demands: MemoryPlan.Demands) {
        (self.graph, self.demands) = (graph, demands)
        holders = graph.values.map { value in
            demands.placements[value].map { ($0.container, $0.byteOffset) }
        }
        isContainer = Set(demands.placements.values.map(\.container))
    }

    /// The value whose memory a value is in, and where.
    private func owner(of value: ValueID) -> (value: ValueID, byteOffset: Int) {
        var (owner, offset) = (value, 0)
        while let holder = holders[owner.index] { (owner, offset) = (holder.value, offset + holder.byteOffset) }
        return (owner, offset)
    }

    /// Whether memory comes from outside: a leaf's, or one that the backend brings.
    private func isExternal(_ owner: ValueID) -> Bool {
        graph[owner].operation.isGivenMemory || demands.external.contains(owner)
    }

    private func isPlaced(_ value: ValueID) -> Bool { demands.placements[value] != nil }

    // MARK: Reshapes

    /// Lets each reshape use its operand's memory. One that must lie outside draws its operand there; where that cannot
    /// be, as between an input and an output, it stays a copy.
    mutating func joinReshapes() {
        for value in graph.values {
            guard case .reshape = graph[value].operation, !isPlaced(value) else { continue }
            let operand = graph[value].operands[0]
            guard !isPlaced(operand), demands.byteCounts[operand.index] == demands.byteCounts[value.index] else {
                continue
            }
            if !isExternal(value) {
                holders[value.index] = (operand, 0)
            } else {
                let owner = owner(of: operand).value
                let canMove = !isExternal(owner) && !isPlaced(owner) && owner != value
                if canMove, demands.byteCounts[owner.index] == demands.byteCounts[value.index] {
                    holders[owner.index] = (value, 0)
                }
            }
        }
        lifetimes = ownerLifetimes()
    }

    /// By owner: when the memory is in use, all values inside it together.
    private func ownerLifetimes() -> [ClosedRange<Int>] {
        var lifetimes = graph.nodes.indices.map { $0...$0 }
        for value in graph.values {
            include(value.index, in: &lifetimes[owner(of: value).value.index])
            for operand in graph[value].operands {
                include(value.index, in: &lifetimes[owner(of: operand).value.index])
            }
        }
        for value in graph.roots { include(graph.nodes.count, in: &lifetimes[owner(of: value).value.index]) }
        return lifetimes
    }

    private func include(_ time: Int, in lifetime: inout ClosedRange<Int>) {
        lifetime = min(lifetime.lowerBound, time)...max(lifetime.upperBound, time)
    }

    // MARK: Overwriting

    /// Lets results take the memory of operands that die where they are made, and updates that of their variables.
    mutating func overwriteDyingOperands() {
        let updated = demands.updatesInPlace ? variablesByUpdate() : [:]
        for value in graph.values where ownsArenaMemory(value) {
            if let variable = updated[value], mayOverwrite(variable, at: value) {
                overwrite(variable, with: value)
            } else if let operand = demands.overwritableOperands[value.index].lazy
                .map({ [self] in graph[value].operands[$0] })
                .first(where: { [self] in !isExternal(owner(of: $0).value) && mayOverwrite($0, at: value) })
            {
                overwrite(owner(of: operand).value, with: value)
            }
        }
    }

    /// By value that becomes a variable's next one: the variable's present value, where the graph reads it.
    private func variablesByUpdate() -> [ValueID: ValueID] {
        var present: [VariableID: ValueID] = [:]
        for value in graph.values {
            if case .variable(let id, _) = graph[value].operation { present[id] = value }
        }
        var result: [ValueID: ValueID] = [:]
        var taken: Set<ValueID> = []
        for update in graph.updates where taken.insert(update.value).inserted {
            if let variable = present[update.variable] { result[update.value] = variable }
        }
        return result
    }

    /// Whether a value has arena memory to itself from its own node on, so that it may lie elsewhere as well.
    private func ownsArenaMemory(_ value: ValueID) -> Bool {
        holders[value.index] == nil && !isExternal(value) && !isContainer.contains(value)
            && lifetimes[value.index].lowerBound == value.index
    }

    /// Whether nobody needs an old value's memory from a node on, that node itself excepted where it reads each element
    /// of the old value just before it writes the same element of its result.
    private func mayOverwrite(_ old: ValueID, at value: ValueID) -> Bool {
        let (owner, offset) = owner(of: old)
        guard offset == 0, !isPlaced(old), !isContainer.contains(owner), !demands.external.contains(owner),
            demands.byteCounts[owner.index] == demands.byteCounts[value.index],
            lifetimes[owner.index].upperBound <= value.index
        else { return false }
        return graph[value].operands.enumerated().allSatisfy { position, operand in
            self.owner(of: operand).value != owner
                || (operand == old && demands.overwritableOperands[value.index].contains(position))
        }
    }

    private mutating func overwrite(_ owner: ValueID, with value: ValueID) {
        include(lifetimes[value.index].upperBound, in: &lifetimes[owner.index])
        holders[value.index] = (owner, 0)
    }

    // MARK: Results

    /// The values that own memory of the arena.
    var arenaOwners: [ValueID] { graph.values.filter { holders[$0.index] == nil && !isExternal($0) } }

    /// The memory that an owner needs.
    func buffer(of owner: ValueID) -> MemoryBuffer {
        MemoryBuffer(byteCount: demands.byteCounts[owner.index], lifetime: lifetimes[owner.index])
    }

    /// Where a value is, given where in the arena its owner is.
    func location(of value: ValueID, in offsets: [ValueID: Int]) -> MemoryPlan.Location {
        let (owner, byteOffset) = owner(of: value)
        return offsets[owner].map { .arena($0 + byteOffset) } ?? .external(owner, byteOffset: byteOffset)
    }
}
