/// The order of a plan's steps, and what it allows: updates in place, and memory shared by values that are never alive
/// at once.
struct Schedule {
    /// Steps done once for each binding.
    private(set) var preparation: [StepDraft] = []
    /// Steps of each run.
    private(set) var run: [StepDraft] = []
    private(set) var buffers: [Buffer]
    /// The offset of each temporary buffer in the arena, in bytes.
    private(set) var offsets: [BufferID: Int] = [:]
    private(set) var arenaByteCount = 0
    private(set) var updatesInPlace = 0
    /// The step behind which a run ends where the first number of this buffer is not finite; no variable was written then.
    private(set) var updateGuard: (position: Int, buffer: BufferID)?

    init(_ compiler: PlanCompiler, guardsUpdates: Bool = false) throws(GraftError) {
        var order = StepOrder(compiler)
        order.placeUpdates()
        let guarded = guardsUpdates ? compiler.outputs.first?.buffer : nil
        if let guarded { order.holdUpdates(untilWritten: guarded) }
        buffers = order.buffers
        updatesInPlace = order.updatesInPlace
        for index in try order.sorted() {
            let draft = order.drafts[index]
            if draft.isPreparation { preparation.append(draft) } else { run.append(draft) }
        }
        if let guarded, let position = run.lastIndex(where: { $0.writes.contains { memory(of: $0) == guarded } }) {
            updateGuard = (position, guarded)
        }
        for draft in preparation { for buffer in draft.writes { buffers[buffer.index].place = .prepared } }
        layOut()
    }

    /// The buffer that another one lies in, or itself.
    private func memory(of buffer: BufferID) -> BufferID {
        if case .part(let whole, _) = buffers[buffer.index].place { whole } else { buffer }
    }

    /// Gives every temporary buffer an offset.
    private mutating func layOut() {
        let steps = run.map { draft in
            MemoryPlan.Step(
                reads: draft.reads.map { memory(of: $0).index }, writes: draft.writes.map { memory(of: $0).index },
                mayShare: draft.mayShare.map { (memory(of: $0.operand).index, $0.result.index) })
        }
        let plan = MemoryPlan(
            steps: steps, byteCounts: buffers.map { $0.place == .temporary ? $0.byteCount : nil })
        arenaByteCount = plan.arenaByteCount
        for (index, offset) in plan.offsets.enumerated() {
            if let offset { offsets[BufferID(index: index)] = offset }
        }
    }
}
