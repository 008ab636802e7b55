/// Finds the elementwise updates that one pass over memory can compute together: a weight with its optimizer's state.
struct UpdateGroups {
    /// Updates of one shape that read each other or the same gradient.
    struct Group {
        fileprivate(set) var members: [ValueID]
        var first: ValueID { members[0] }
        /// Elementwise values of the same shape that nobody but the members reads, such as a clipped gradient: computed
        /// with them and kept in no memory.
        fileprivate(set) var inner: [ValueID] = []
        /// The kernel gradient that is computed with them and nowhere else; see ``UpdateGroups/fusibleGradient(of:in:)``.
        fileprivate(set) var gradient: ValueID?
        /// The member after which all operands of all members are known.
        var last: ValueID { members[members.count - 1] }
    }

    private var groups: [Group] = []
    private var groupOfValue: [ValueID: Int] = [:]
    private var fused: Set<ValueID> = []

    init(_ graph: Graph) {
        let candidates = Set(graph.updates.map(\.value)).filter { graph[$0].operation.elementwiseProgram != nil }
        for candidate in candidates.sorted() {
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
            groups[index].absorb(graph, readers: readers)
            groups[index].gradient = groups[index].fusibleGradient(in: graph, readers: readers)
            fused.formUnion(groups[index].inner)
            if let gradient = groups[index].gradient { fused.insert(gradient) }
        }
    }

    /// Whether a value is computed within an update, so that nobody else can read it.
    func isFused(_ value: ValueID) -> Bool { fused.contains(value) }

    /// The group that a value is computed with.
    func group(of value: ValueID) -> Group? { groupOfValue[value].map { groups[$0] } }
}

extension UpdateGroups.Group {
    /// Whether a later value can be computed in the same pass.
    fileprivate func accepts(_ candidate: ValueID, in graph: Graph) -> Bool {
        guard graph.shape(of: candidate) == graph.shape(of: members[0]) else { return false }
        let operands = graph[candidate].operands
        let isRelated = members.contains { member in
            operands.contains(member)
                || graph[member].operands.contains { operands.contains($0) && graph.isComputed($0, like: candidate) }
        }
        return isRelated && !dependsOnMembers(operands.filter { !members.contains($0) }, in: graph)
    }

    /// Takes in what only the members read.
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
    var values: [ValueID] { (members + inner).sorted() }

    /// The gradient of a kernel, `leftᵀ · right`, that nobody but the members reads: it can be computed tile by tile
    /// while they are, and never has to be written to memory.
    fileprivate func fusibleGradient(in graph: Graph, readers: [ValueID: Set<ValueID>]) -> ValueID? {
        let operands = Set(values.flatMap { graph[$0].operands })
        return operands.sorted().first { operand in
            guard graph.shape(of: operand) == graph.shape(of: members[0]),
                let product = graph.transposedProduct(operand)
            else { return false }
            // Short rows leave vectors empty; what is packed of many examples leaves the second-level cache.
            return product.columns >= 64 && product.examples * product.columns <= 1 << 18
                && readers[operand]?.isSubset(of: values) == true
        }
    }

    /// Whether one of these values cannot be computed before the members.
    private func dependsOnMembers(_ values: [ValueID], in graph: Graph) -> Bool {
        guard let end = values.max(), end > members[0] else { return false }
        var dependent = Set(members)
        for index in members[0].index...end.index {
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
    /// A value as such a product: the gradient of a dense layer's kernel, or that of a convolution which looks at one
    /// pixel at a time, every pixel being an example.
    func transposedProduct(_ value: ValueID) -> TransposedProduct? {
        let node = self[value]
        let (rows, columns): (Int, Int)
        switch node.operation {
        case .matrixProduct(transposeLeft: true, transposeRight: false, .none):
            (rows, columns) = (node.shape[0], node.shape[1])
        case .convolutionKernelGradient(let convolution, let kernel)
        where kernel[0] == 1 && kernel[1] == 1 && convolution.groups == 1 && convolution.strides == Size2D(1)
            && convolution.padding == .none:
            (rows, columns) = (kernel[2], kernel[3])
        default: return nil
        }
        let left = node.operands[0]
        // The kernel that updates tile by tile reads 32 bits.
        let types = [node.elementType] + node.operands.map { self[$0].elementType }
        guard rows > 0, types.allSatisfy({ $0 == .float32 }) else { return nil }
        return TransposedProduct(
            left: left, right: node.operands[1], examples: shape(of: left).elementCount / rows, rows: rows,
            columns: columns)
    }

    /// Who reads each value; an output or update is read by itself as well.
    fileprivate var readers: [ValueID: Set<ValueID>] {
        var readers: [ValueID: Set<ValueID>] = [:]
        for index in nodes.indices {
            for operand in nodes[index].operands { readers[operand, default: []].insert(ValueID(index: index)) }
        }
        for value in outputs + updates.map(\.value) { readers[value, default: []].insert(value) }
        return readers
    }

    /// Whether a value is computed, rather than given, and has the other's shape: a gradient of a variable.
    fileprivate func isComputed(_ value: ValueID, like other: ValueID) -> Bool {
        !self[value].operands.isEmpty && shape(of: value) == shape(of: other)
    }
}
