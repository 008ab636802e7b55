/// The order of a plan's steps, updates in place, and the memory of values: those that are never live at once share it.
struct Schedule {
    /// Steps done once for each binding.
    private(set) var preparation: [PlannedStep] = []
    /// Steps of each run.
    private(set) var run: [PlannedStep] = []
    private(set) var buffers: [Buffer]
    /// The offset of each temporary buffer in the arena, in bytes.
    private(set) var offsets: [BufferID: Int] = [:]
    private(set) var arenaByteCount = 0
    private(set) var updatesInPlace = 0
    /// The step after which a run ends where the first element of this buffer is NaN or infinite; no variable was written then.
    private(set) var nonFiniteGuard: (position: Int, buffer: BufferID)?

    init(_ compiler: PlanCompiler, skipsNonFiniteUpdates: Bool = false, guardsMemory: Bool = false) throws(GraftError) {
        var order = StepOrder(compiler)
        order.placeUpdates()
        let guarded = skipsNonFiniteUpdates ? compiler.outputs.first?.buffer : nil
        if let guarded { order.orderUpdates(after: guarded) }
        buffers = order.buffers
        updatesInPlace = order.updatesInPlace
        for index in try order.sorted() {
            let planned = order.plannedSteps[index]
            if planned.isPreparation { preparation.append(planned) } else { run.append(planned) }
        }
        if let guarded, let position = run.lastIndex(where: { $0.writes.contains { memory(of: $0) == guarded } }) {
            nonFiniteGuard = (position, guarded)
        }
        for planned in preparation { for buffer in planned.writes { buffers[buffer.index].kind = .prepared } }
        layOut(guardByteCount: guardsMemory ? GuardedRange.guardByteCount : 0)
    }

    /// The buffer that another one is a slice of, or itself.
    private func memory(of buffer: BufferID) -> BufferID {
        if case .view(let whole, _) = buffers[buffer.index].kind { whole } else { buffer }
    }

    /// The steps that need each temporary buffer, from the first to the last.
    var lifetimes: [BufferID: ClosedRange<Int>] {
        var lifetimes: [BufferID: ClosedRange<Int>] = [:]
        for (position, planned) in run.enumerated() {
            for buffer in (planned.reads + planned.writes).map({ memory(of: $0) }) where offsets[buffer] != nil {
                lifetimes[buffer] = (lifetimes[buffer]?.lowerBound ?? position)...position
            }
        }
        return lifetimes
    }

    /// Gives every temporary buffer an offset, with room for guard words on both sides. Buffers with guard words share memory only
    /// where these coincide.
    private mutating func layOut(guardByteCount: Int) {
        let steps = run.map { planned in
            MemoryPlan.Step(
                reads: planned.reads.map { memory(of: $0).index }, writes: planned.writes.map { memory(of: $0).index },
                mayShare: planned.mayShare.map { (memory(of: $0.operand).index, $0.result.index) }.filter {
                    guardByteCount == 0 || buffers[$0.0].byteCount == buffers[$0.1].byteCount
                })
        }
        let plan = MemoryPlan(
            steps: steps,
            byteCounts: buffers.map { $0.kind == .temporary ? $0.byteCount + 2 * guardByteCount : nil })
        arenaByteCount = plan.arenaByteCount
        for (index, offset) in plan.offsets.enumerated() {
            if let offset { offsets[BufferID(index: index)] = offset }
        }
    }
}
