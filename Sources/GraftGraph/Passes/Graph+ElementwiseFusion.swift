extension Graph {
    /// The graph with groups of elementwise operations as one ``ElementwiseProgram`` each: one pass over memory in place
    /// of many.
    ///
    /// A group has one result and one shape. A value joins the group of its readers when all of them are in that one
    /// group, so nothing is computed twice and no cycle can arise; any DAG may be a group. There are two exceptions that
    /// are cheaper to repeat in each group than to write to memory: a broadcast, and a function of one array that is in
    /// memory anyhow (a relu's or a dropout's mask). Scalar constants become instructions; operands are broadcast.
    ///
    /// An optimizer's next state is an update and so in memory: the variable's next value, a group of its own, reads it
    /// there.
    public func fusingElementwise() throws(GraftError) -> Graph {
        let groups = ElementwiseGroups(self)
        var copy = GraphCopy(self)
        for value in values where groups.isMaterialized(value) {
            if let members = groups.members(of: value) {
                try copy.replace(value, byProgramOf: members)
            } else {
                try copy.copy(value)
            }
        }
        return try copy.finish()
    }
}

/// Which elementwise nodes are computed together.
private struct ElementwiseGroups {
    /// Most instructions of one group: enough for any optimizer, few enough for a backend's registers and stack.
    static let maximumInstructionCount = 48
    /// Most arrays that one group reads.
    static let maximumOperandCount = 12

    private struct Group {
        var members: [ValueID]
        var operands: Set<ValueID>
        var instructionCount: Int
    }

    private let graph: Graph
    /// By root, which is the group's result.
    private var groups: [ValueID: Group] = [:]
    /// By value: the roots of the groups that compute it; empty for what is not elementwise.
    private var roots: [[ValueID]]
    private let isRoot: Set<ValueID>

    init(_ graph: Graph) {
        self.graph = graph
        roots = [[ValueID]](repeating: [], count: graph.nodes.count)
        isRoot = Set(graph.roots)
        let consumers = graph.consumers
        for value in graph.values.reversed() where graph[value].operation.isFusible {
            let readers = readingGroups(value, consumers[value.index])
            if let readers, canJoin(value, readers) {
                join(value, readers)
            } else {
                begin(value)
            }
        }
    }

    /// Whether a value stays a node of its own.
    func isMaterialized(_ value: ValueID) -> Bool {
        let roots = roots[value.index]
        return roots.isEmpty || roots == [value]
    }

    /// The members of the group with this result, in order; `nil` where there is nothing to fuse.
    func members(of root: ValueID) -> [ValueID]? {
        guard let members = groups[root]?.members else { return nil }
        let readsConstant = graph[root].operands.contains { graph.scalarConstant($0) != nil }
        return members.count > 1 || (readsConstant && !graph[root].operation.isBroadcast) ? members.reversed() : nil
    }

    /// The groups that read a value, or `nil` where something else reads it as well.
    private func readingGroups(_ value: ValueID, _ consumers: [ValueID]) -> [ValueID]? {
        guard !isRoot.contains(value), !consumers.isEmpty else { return nil }
        var readers: Set<ValueID> = []
        for consumer in consumers {
            guard !roots[consumer.index].isEmpty, graph[consumer].shape == graph[value].shape else { return nil }
            readers.formUnion(roots[consumer.index])
        }
        return readers.sorted()
    }

    private func canJoin(_ value: ValueID, _ readers: [ValueID]) -> Bool {
        guard readers.count == 1 || isCheapToRepeat(value) else { return false }
        let node = graph[value]
        // What is rounded on the way stays a value of its own.
        guard node.elementType == .float32 else { return false }
        return readers.allSatisfy { root in
            guard let group = groups[root], !graph[root].operation.isBroadcast else { return false }
            let operands = group.operands.union(arrays(node.operands)).subtracting([value])
            return operands.count <= Self.maximumOperandCount
                && group.instructionCount + node.operation.instructionCount <= Self.maximumInstructionCount
        }
    }

    /// Whether to compute a value in each of several groups costs no more reading than to read it.
    private func isCheapToRepeat(_ value: ValueID) -> Bool {
        let node = graph[value]
        let arrays = arrays(node.operands)
        if node.operation.isBroadcast { return true }
        guard arrays.count == 1, let array = arrays.first else { return false }
        return node.operation.isCheap && (!graph[array].operation.isFusible || isRoot.contains(array))
    }

    private mutating func begin(_ value: ValueID) {
        let node = graph[value]
        groups[value] = Group(
            members: [value], operands: arrays(node.operands), instructionCount: node.operation.instructionCount)
        roots[value.index] = [value]
    }

    private mutating func join(_ value: ValueID, _ readers: [ValueID]) {
        let node = graph[value]
        let arrays = arrays(node.operands)
        for root in readers {
            groups[root]?.members.append(value)
            groups[root]?.operands.remove(value)
            groups[root]?.operands.formUnion(arrays)
            groups[root]?.instructionCount += node.operation.instructionCount
        }
        roots[value.index] = readers
    }

    /// The operands that are not numbers known now.
    private func arrays(_ operands: [ValueID]) -> Set<ValueID> {
        Set(operands.filter { graph.scalarConstant($0) == nil })
    }
}

extension Operation {
    fileprivate var isBroadcast: Bool { if case .movement(.broadcast) = self { true } else { false } }

    fileprivate var isFusible: Bool { isBroadcast || elementwiseProgram != nil }

    /// Instructions, with room for a constant each.
    fileprivate var instructionCount: Int { (elementwiseProgram?.instructions.count ?? 0) * 2 }

    /// Whether it takes about as long as reading a number.
    fileprivate var isCheap: Bool {
        switch self {
        case .elementwise(.unary(let function)):
            [.negate, .absolute, .sign, .square, .relu].contains(function)
        case .elementwise(.binary(let function)): function != .power && function != .divide
        case .elementwise(.select), .movement(.broadcast): true
        default: false
        }
    }
}

extension GraphCopy {
    /// Puts a group's program in the place of its last member.
    fileprivate mutating func replace(_ value: ValueID, byProgramOf members: [ValueID]) throws(GraftError) {
        var composer = ProgramComposer(source, members: members)
        let reach = composer.operands.reduce(Shape([])) { $0.broadcast(with: source.shape(of: $1)) ?? $0 }
        if reach != source.shape(of: value) {
            // Nothing but a broadcast gives the result its shape: it stays, as an operand.
            let inside = Set(members)
            let kept = members.filter {
                source[$0].operation.isBroadcast && !inside.contains(source[$0].operands[0])
            }
            for broadcast in kept { try copy(broadcast) }
            composer = ProgramComposer(source, members: members.filter { !kept.contains($0) })
        }
        let program = composer.compose()
        try replace(value, by: .elementwise(.fused(program)), composer.operands.map { self[$0] })
    }
}

/// Writes the program of a group.
private struct ProgramComposer {
    /// The arrays that the program reads.
    let operands: [ValueID]
    private let graph: Graph
    private let members: [ValueID]
    private var registers: [ValueID: Int] = [:]
    private var constants: [UInt32: Int] = [:]
    private var instructions: [ElementwiseProgram.Instruction] = []

    init(_ graph: Graph, members: [ValueID]) {
        let inside = Set(members)
        var operands: [ValueID] = []
        for member in members {
            for operand in graph[member].operands
            where !inside.contains(operand) && graph.scalarConstant(operand) == nil && registers[operand] == nil {
                registers[operand] = operands.count
                operands.append(operand)
            }
        }
        (self.graph, self.members, self.operands) = (graph, members, operands)
    }

    mutating func compose() -> ElementwiseProgram {
        for member in members {
            let node = graph[member]
            let inputs = node.operands.map { register(of: $0) }
            if let program = node.operation.elementwiseProgram {
                registers[member] = inline(program, inputs)
            } else {
                registers[member] = inputs[0]
            }
        }
        return ElementwiseProgram(operandCount: operands.count, instructions: instructions)
    }

    private mutating func register(of value: ValueID) -> Int {
        if let register = registers[value] { return register }
        return register(of: graph.scalarConstant(value) ?? .nan)
    }

    private mutating func register(of constant: Float) -> Int {
        if let register = constants[constant.bitPattern] { return register }
        let register = append(.constant(constant))
        constants[constant.bitPattern] = register
        return register
    }

    /// Appends another program's instructions, with its registers renumbered; its result's register.
    private mutating func inline(_ program: ElementwiseProgram, _ inputs: [Int]) -> Int {
        var renumbered = inputs
        for instruction in program.instructions {
            if case .constant(let number) = instruction {
                renumbered.append(register(of: number))
            } else {
                renumbered.append(append(instruction.renumbered { renumbered[$0] }))
            }
        }
        return renumbered[renumbered.count - 1]
    }

    private mutating func append(_ instruction: ElementwiseProgram.Instruction) -> Int {
        instructions.append(instruction)
        return operands.count + instructions.count - 1
    }
}
