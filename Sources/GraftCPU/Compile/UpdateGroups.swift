/// Finds the elementwise updates that one pass over memory can compute: a weight with its optimizer's state.
struct UpdateGroups {
    /// Updates of one shape that read each other or the same gradient.
    struct Group {
        fileprivate(set) var members: [ValueID]
        var first: ValueID { members[0] }
        /// Elementwise values of the same shape that only the members read, such as a clipped gradient: computed with them and
        /// never stored.
        fileprivate(set) var inner: [ValueID] = []
        /// The kernel gradient that is fused with them.
        fileprivate(set) var gradient: FusedGradient?
        /// The member after which all operands of all members are known.
        var last: ValueID { members[members.count - 1] }
    }

    /// A kernel gradient that is computed tile by tile, with what is computed from it.
    struct FusedGradient {
        let value: ValueID
        /// What the group's values read: the gradient, or that times a scale for each of a convolution's output channels.
        let operand: ValueID
        let scale: ValueID?
        /// How it is computed.
        let fusion: any GradientFusion.Type
        /// The gradient of a dense layer's input, which reads the kernel that the group updates and is fused with it.
        fileprivate(set) var inputGradient: ValueID?
    }

    private var groups: [Group] = []
    private var groupOfValue: [ValueID: Int] = [:]
    private var fused: Set<ValueID> = []
    private var inputGradients: Set<ValueID> = []

    init(_ graph: Graph, _ paths: FastPaths) {
        let candidates = Set(graph.updates.map(\.value)).filter { graph[$0].operation.programOfUpdate != nil }
        // A rounding is ordered with the value that it rounds, not after all updates.
        for candidate in candidates.sorted(by: { (graph.computed($0), $0) < (graph.computed($1), $1) }) {
            if let index = groups.firstIndex(where: { $0.accepts(candidate, in: graph) }) {
                groups[index].members.append(candidate)
                groupOfValue[candidate] = index
            } else {
                groupOfValue[candidate] = groups.count
                groups.append(Group(members: [candidate]))
            }
        }
        let readers = graph.readers
        for index in groups.indices {
            groups[index].members.sort()
            groups[index].absorb(graph, readers: readers)
            fused.formUnion(groups[index].inner)
            guard var gradient = groups[index].fusibleGradient(in: graph, readers: readers, paths) else { continue }
            fused.insert(gradient.value)
            if paths.allows(.fusedInputGradient) {
                gradient.inputGradient = groups[index].fusibleInputGradient(of: gradient, in: graph, paths.machine)
            }
            if let value = gradient.inputGradient { inputGradients.insert(value) }
            groups[index].gradient = gradient
        }
    }

    /// Whether a value is computed within an update, so that no other step can read it.
    func isFused(_ value: ValueID) -> Bool { fused.contains(value) }

    /// Whether a value is an input's gradient that an update's step writes.
    func isInputGradient(_ value: ValueID) -> Bool { inputGradients.contains(value) }

    /// The group that a value is computed with.
    func group(of value: ValueID) -> Group? { groupOfValue[value].map { groups[$0] } }
}

extension UpdateGroups.Group {
    /// Whether a later value can be computed in the same pass.
    fileprivate func accepts(_ candidate: ValueID, in graph: Graph) -> Bool {
        guard graph.shape(of: candidate) == graph.shape(of: members[0]) else { return false }
        let operands = graph[graph.computed(candidate)].operands
        let isRelated = members.contains { member in
            let other = graph.computed(member)
            return operands.contains(other)
                || graph[other].operands.contains { operands.contains($0) && graph.isComputed($0, like: candidate) }
        }
        return isRelated && !dependsOnMembers(operands.filter { !members.contains($0) }, in: graph)
    }

    /// Adds the values that only the members read.
    fileprivate mutating func absorb(_ graph: Graph, readers: [ValueID: Set<ValueID>]) {
        var pending = members
        while let value = pending.popLast() {
            for operand in graph[value].operands where !members.contains(operand) && !inner.contains(operand) {
                let isSimilar =
                    graph.isComputed(operand, like: value) && graph[operand].operation.elementwiseProgram != nil
                guard isSimilar, readers[operand]?.isSubset(of: members + inner) == true else { continue }
                inner.append(operand)
                pending.append(operand)
            }
        }
    }

    /// All values that are computed together, in order.
    var values: [ValueID] { (members + inner).filter { $0 != gradient?.operand }.sorted() }

    /// The gradient of a kernel that only the members read: it can be computed tile by tile with them, and is never stored.
    fileprivate func fusibleGradient(
        in graph: Graph, readers: [ValueID: Set<ValueID>], _ paths: FastPaths
    ) -> UpdateGroups.FusedGradient? {
        let operands = Set(values.flatMap { graph[$0].operands })
        for operand in operands.sorted()
        where graph.shape(of: operand) == graph.shape(of: members[0])
            && readers[operand]?.isSubset(of: values) == true
        {
            guard let fusion = paths.fusion(of: operand, in: graph) else { continue }
            let scaled = scaledConvolution(operand, in: graph, readers: readers)
            return UpdateGroups.FusedGradient(
                value: operand, operand: scaled?.value ?? operand, scale: scaled?.scale, fusion: fusion)
        }
        return nil
    }

    /// The product of a convolution's kernel gradient with a scale for each output channel, where the gradient has no other
    /// reader.
    private func scaledConvolution(
        _ gradient: ValueID, in graph: Graph, readers: [ValueID: Set<ValueID>]
    ) -> (value: ValueID, scale: ValueID)? {
        guard case .convolution(.kernelGradient) = graph[gradient].operation, let product = readers[gradient]?.first,
            readers[gradient]?.count == 1, inner.contains(product),
            graph[product].operation == .elementwise(.binary(.multiply)),
            let scale = graph[product].operands.first(where: { $0 != gradient })
        else { return nil }
        let (shape, columns) = (graph.shape(of: scale), graph.shape(of: gradient).last)
        guard shape.elementCount == columns, shape.last == columns, graph[scale].elementType == .float32 else {
            return nil
        }
        return (product, scale)
    }

    /// The gradient of a dense layer's input, `delta · kernelᵀ`, for the kernel that the members update with the gradient
    /// `inputᵀ · delta`: the kernel's rows can be read once for both.
    fileprivate func fusibleInputGradient(
        of gradient: UpdateGroups.FusedGradient, in graph: Graph, _ machine: Machine
    ) -> ValueID? {
        guard case .product = graph[gradient.value].operation else { return nil }
        let delta = graph[gradient.value].operands[1]
        let reads = Set(values.flatMap { graph[$0].operands })
        return graph.values.first { value in
            let node = graph[value]
            guard node.operation == .product(MatrixProduct(transposeRight: true)),
                node.operands[0] == delta, reads.contains(node.operands[1]), node.elementType == .float32,
                isUpdated(node.operands[1], in: graph)
            else { return false }
            let (rows, columns) = (node.shape[0], node.shape[1])
            return gradient.fusion.fusesInputGradient(
                rows: rows, inner: graph.shape(of: delta)[1], columns: columns, machine)
                && !isNeededBefore(value, gradient.value, in: graph)
        }
    }

    /// Whether a value is a variable that one of the members is the next value of.
    private func isUpdated(_ value: ValueID, in graph: Graph) -> Bool {
        guard case .leaf(.variable(let id, _)) = graph[value].operation else { return false }
        return graph.updates.contains { $0.variable == id && members.contains($0.value) }
    }

    /// Whether an output of the graph, or what the members and their gradient read, depends on a value. (The first output decides
    /// whether variables are written at all.)
    private func isNeededBefore(_ value: ValueID, _ gradient: ValueID, in graph: Graph) -> Bool {
        var dependent: Set = [value]
        for later in graph.values.dropFirst(value.index + 1)
        where graph[later].operands.contains(where: dependent.contains) { dependent.insert(later) }
        let own = Set(values + [gradient])
        let reads = own.flatMap { graph[$0].operands }.filter { !own.contains($0) }
        return (reads + graph.outputs).contains(where: dependent.contains)
    }

    /// Whether one of these values cannot be computed before the members.
    private func dependsOnMembers(_ values: [ValueID], in graph: Graph) -> Bool {
        guard let end = values.max(), let start = members.min(), end > start else { return false }
        var dependent = Set(members)
        for index in start.index...end.index {
            let value = ValueID(index: index)
            if graph[value].operands.contains(where: dependent.contains) { dependent.insert(value) }
        }
        return values.contains { dependent.contains($0) && !members.contains($0) }
    }
}

/// A product `leftᵀ · right`, summed over the first axis of both.
struct TransposedProduct {
    let left: ValueID
    let right: ValueID
    let examples: Int
    let rows: Int
    let columns: Int
}

extension Graph {
    /// A value as such a product: the gradient of a dense layer's kernel.
    func transposedProduct(_ value: ValueID) -> TransposedProduct? {
        let node = self[value]
        guard node.operation == .product(MatrixProduct(transposeLeft: true)) else { return nil }
        let (rows, columns) = (node.shape[0], node.shape[1])
        guard rows > 0, readsAndMakesFloat32(value) else { return nil }
        return TransposedProduct(
            left: node.operands[0], right: node.operands[1],
            examples: shape(of: node.operands[0]).elementCount / rows, rows: rows, columns: columns)
    }

    /// The kernels that update tile by tile read 32 bits.
    func readsAndMakesFloat32(_ value: ValueID) -> Bool {
        self[value].elementType == .float32 && self[value].operands.allSatisfy { self[$0].elementType == .float32 }
    }

    /// The readers of each value; an output or update counts as its own reader.
    fileprivate var readers: [ValueID: Set<ValueID>] {
        var readers: [ValueID: Set<ValueID>] = [:]
        for index in nodes.indices {
            for operand in nodes[index].operands { readers[operand, default: []].insert(ValueID(index: index)) }
        }
        for value in outputs + updates.map(\.value) { readers[value, default: []].insert(value) }
        return readers
    }

    /// The value that an update computes: without the rounding, where it is stored rounded.
    fileprivate func computed(_ update: ValueID) -> ValueID {
        if case .random(.stochasticRounding) = self[update].operation { self[update].operands[0] } else { update }
    }

    /// Whether a value is computed, rather than given, and has the other's shape: a gradient of a variable.
    fileprivate func isComputed(_ value: ValueID, like other: ValueID) -> Bool {
        !self[value].operands.isEmpty && shape(of: value) == shape(of: other)
    }
}

extension Operation {
    /// What an update's step computes for a value: an elementwise program, which copies where the value is stored rounded; `nil` for
    /// another operation.
    var programOfUpdate: ElementwiseProgram? {
        if case .random(.stochasticRounding) = self { .copying } else { elementwiseProgram }
    }

    /// The random stream of its stochastic rounding.
    var roundingStream: UInt64? {
        if case .random(.stochasticRounding(let stream)) = self { stream } else { nil }
    }
}

extension ElementwiseProgram {
    /// Returns its operand.
    static let copying = ElementwiseProgram(operandCount: 1, instructions: [])
}
