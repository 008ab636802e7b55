/// The dependences between steps, and an order that respects them.
struct StepOrder {
    private(set) var plannedSteps: [PlannedStep]
    private(set) var buffers: [Buffer]
    private(set) var updatesInPlace = 0
    private let updates: [(variable: Int, source: BufferID)]
    private var writer: [BufferID: Int] = [:]
    private var readers: [BufferID: [Int]] = [:]
    /// By buffer: its slices.
    private var parts: [BufferID: [BufferID]] = [:]
    private var successors: [[Int]]
    /// The steps that write variables.
    private var variableWriters: [Int] = []

    init(_ compiler: PlanCompiler) {
        (plannedSteps, buffers) = (compiler.plannedSteps, compiler.buffers)
        updates = compiler.updateSources.compactMap { update in
            compiler.variables.firstIndex { $0.id == update.variable }.map { ($0, update.buffer) }
        }
        successors = Array(repeating: [], count: plannedSteps.count)
        for (index, planned) in plannedSteps.enumerated() {
            for buffer in planned.writes { writer[buffer] = index }
            for buffer in Set(planned.reads) { readers[buffer, default: []].append(index) }
        }
        for (index, buffer) in buffers.enumerated() {
            if case .view(let whole, _) = buffer.kind { parts[whole, default: []].append(BufferID(index: index)) }
        }
        for (index, planned) in plannedSteps.enumerated() {
            for buffer in Set(planned.reads) {
                for producer in producers(of: buffer) where producer != index { successors[producer].append(index) }
            }
        }
    }

    /// The steps that write a buffer, as a whole or a part of it.
    private func producers(of buffer: BufferID) -> Set<Int> {
        Set(([buffer] + (parts[buffer] ?? [])).compactMap { writer[$0] })
    }

    /// Computes each update in place where the old value is not read afterwards; copies the others to their variables at the end.
    mutating func placeUpdates() {
        for (variable, source) in updates {
            let target = buffers.firstIndex { $0.kind == .variable(variable) }
            guard let target = target.map(BufferID.init(index:)) else { continue }
            let users = readers[target] ?? []
            if let producer = writer[source], canWrite(producer, source, inPlaceOf: target, users: users) {
                buffers[source.index].kind = .nextValue(variable)
                for user in users where user != producer { successors[user].append(producer) }
                variableWriters.append(producer)
                updatesInPlace += 1
            } else {
                addCopy(from: source, to: target, after: users)
            }
        }
    }

    /// Orders steps that write variables after a buffer is written, except those that the buffer depends on.
    mutating func orderUpdates(after buffer: BufferID) {
        let producers = producers(of: buffer)
        for step in variableWriters where !producers.contains(step) && !reaches(producers, from: step) {
            for producer in producers { successors[producer].append(step) }
        }
    }

    private func canWrite(_ producer: Int, _ source: BufferID, inPlaceOf target: BufferID, users: [Int]) -> Bool {
        let planned = plannedSteps[producer]
        // A buffer that is written slice by slice is written too early.
        guard buffers[source.index].kind == .temporary, parts[source] == nil, !planned.isPreparation else {
            return false
        }
        let readsTarget = planned.reads.contains(target)
        guard !readsTarget || planned.mayShare.contains(where: { $0 == (target, source) }) else { return false }
        let others = Set(users.filter { $0 != producer })
        return others.isEmpty || !reaches(others, from: producer)
    }

    private func reaches(_ goals: Set<Int>, from start: Int) -> Bool {
        var (pending, seen) = ([start], Set([start]))
        while let next = pending.popLast() {
            if goals.contains(next) { return true }
            pending += successors[next].filter { seen.insert($0).inserted }
        }
        return false
    }

    private mutating func addCopy(from source: BufferID, to target: BufferID, after users: [Int]) {
        let parts = BlockCopy.elements(buffers[source.index].elementCount).map {
            CopyStep.Part(source: source, sourceOffset: $0.offset, targetOffset: $0.offset, block: $0.block)
        }
        let copy = plannedSteps.count
        variableWriters.append(copy)
        plannedSteps.append(
            PlannedStep(
                step: CopyStep(
                    parts: parts, target: target, zeroCount: 0, elementType: buffers[source.index].elementType),
                reads: [source], writes: [], label: "update", operation: "copy", isPreparation: false, variables: [],
                isScheduledEarly: true))
        successors.append([])
        for producer in producers(of: source) { successors[producer].append(copy) }
        for user in users { successors[user].append(copy) }
    }

    /// All steps in topological order: those that free memory as soon as possible, the others as they were added.
    func sorted() throws(GraftError) -> [Int] {
        var missing = Array(repeating: 0, count: plannedSteps.count)
        for successor in successors.joined() { missing[successor] += 1 }
        var ready = plannedSteps.indices.filter { missing[$0] == 0 }
        var order: [Int] = []
        while let next = ready.min(by: { comesFirst($0, $1) }) {
            ready.removeAll { $0 == next }
            order.append(next)
            for successor in successors[next] {
                missing[successor] -= 1
                if missing[successor] == 0 { ready.append(successor) }
            }
        }
        guard order.count == plannedSteps.count else {
            throw GraftError(.backend, "there is a cycle in the plan's schedule; this is a fault in Graft")
        }
        return order
    }

    private func comesFirst(_ left: Int, _ right: Int) -> Bool {
        let (isLeftEarly, isRightEarly) = (plannedSteps[left].isScheduledEarly, plannedSteps[right].isScheduledEarly)
        return isLeftEarly == isRightEarly ? left < right : isLeftEarly
    }
}
