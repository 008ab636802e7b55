internal import CKernels

/// The memory and streams of one run: used by one run at a time, and reused by later ones.
final class Arena {
    private let temporaries: Memory
    private let scratch: Memory
    /// As many as the tasks that a step runs at once.
    private let streams: [Stream]
    /// For buffers without elements.
    private let nothing: Memory

    init(_ plan: CompiledPlan) throws(GraftError) {
        temporaries = try Memory(byteCount: plan.schedule.arenaByteCount)
        scratch = try Memory(byteCount: plan.scratchByteCount)
        nothing = try Memory(byteCount: 0)
        var streams: [Stream] = []
        for _ in 0..<plan.streamCount { try streams.append(Stream(plan.engine)) }
        self.streams = streams
    }

    /// Runs all steps; `profile` gets the times at which each began, and at which the last ended.
    func run(
        _ plan: CompiledPlan, _ binding: Binding, _ request: RunRequest, outputs: inout [Tensor],
        profile: (([Double]) -> Void)?
    ) throws(GraftError) {
        let (inputs, next) = (request.inputs, request.next)
        if plan.hasUpdates { binding.dropNextValues() }
        let count = plan.schedule.buffers.count
        let table = UnsafeMutablePointer<UnsafeMutablePointer<Float>>.allocate(capacity: max(count, 1))
        defer { table.deallocate() }
        let guards =
            plan.guardsMemory ? try RunGuards(plan, binding, arena: temporaries, scratch: scratch) : nil
        for index in 0..<count {
            let pointer =
                view(index, plan, in: table) ?? guards?.address(of: BufferID(index: index))
                ?? address(of: index, plan, binding, inputs: inputs, outputs: &outputs)
            (table + index).initialize(to: pointer ?? nothing.base.assumingMemoryBound(to: Float.self))
        }
        let gap = plan.guardsMemory ? GuardedRange.guardByteCount : 0
        let memory = RunMemory(
            buffers: table, scratch: scratch.base + gap, streams: streams, threads: plan.threads,
            randomKey: request.randomKey,
            bitmaps: bitmapRows(plan, inputs), nextBatch: try binding.overlapRun(plan, inputs, next: next),
            lazy: binding.lazyRowStates(plan), scratchGap: gap)
        graft_set_thread_count(Int32(plan.threads))
        var times: [Double] = []
        var isComplete = true
        for (position, planned) in plan.schedule.run.enumerated() {
            if profile != nil { times.append(graft_seconds()) }
            guards?.begin(position)
            try planned.step.run(memory)
            try guards?.end(position)
            if let stop = plan.schedule.nonFiniteGuard, stop.position == position, !memory[stop.buffer][0].isFinite {
                isComplete = false
                break
            }
        }
        guards?.finish(plan, binding, outputs: &outputs, isComplete: isComplete)
        // A run that stops before its updates is not measured: its loss is NaN or infinite.
        if let profile, isComplete { profile(times + [graft_seconds()]) }
        withExtendedLifetime((inputs, binding, next)) {}
        if plan.hasUpdates, isComplete { binding.takeNextValues(multiplied: next) }
    }

    /// The rows of bitmap-compressed inputs; pointers stay valid while the run holds the feed.
    private func bitmapRows(_ plan: CompiledPlan, _ inputs: [FedInput]) -> [BufferID: graft_bitmap_rows] {
        var rows: [BufferID: graft_bitmap_rows] = [:]
        for (index, buffer) in plan.schedule.buffers.enumerated() {
            if case .input(let position) = buffer.kind {
                rows[BufferID(index: index)] = inputs[position].bitmap?.description
            }
        }
        return rows
    }

    /// The memory of a view of another buffer, which the table has already.
    private func view(
        _ index: Int, _ plan: CompiledPlan, in table: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
    ) -> UnsafeMutablePointer<Float>? {
        let buffer = plan.schedule.buffers[index]
        guard case .view(let whole, let offset) = buffer.kind else { return nil }
        let start = UnsafeMutableRawPointer(table[whole.index]) + offset * buffer.elementType.byteCount
        return start.assumingMemoryBound(to: Float.self)
    }

    /// The memory of a buffer. Pointers into tensors stay valid while the run holds the tensors.
    private func address(
        of index: Int, _ plan: CompiledPlan, _ binding: Binding, inputs: [FedInput], outputs: inout [Tensor]
    ) -> UnsafeMutablePointer<Float>? {
        let id = BufferID(index: index)
        switch plan.schedule.buffers[index].kind {
        case .temporary:
            let offset = plan.schedule.offsets[id]
            return offset.map { (temporaries.base + $0).assumingMemoryBound(to: Float.self) }
        case .prepared: return binding.prepared[id]?.base.assumingMemoryBound(to: Float.self)
        case .input(let position): return inputs[position].dense?.address
        case .variable(let position): return binding.address(ofVariable: position, plan)
        case .nextValue(let position): return binding.addressOfNextValue(position)
        case .constant(let position): return plan.constants[position].address
        case .view: return nil
        case .output(let position):
            return outputs[position].withUnsafeMutableBuffer { $0.baseAddress }
        }
    }
}

extension PackedBitmapRows {
    /// As the kernels read the rows, while they are retained.
    var description: graft_bitmap_rows? {
        withUnsafePointers { graft_bitmap_rows(masks: $0, starts: $1, values: $2) }
    }
}

extension Tensor {
    /// The elements, for reading while the tensor is retained; `Float` whatever their type, which kernels know.
    var address: UnsafeMutablePointer<Float>? {
        withUnsafeStoredBytes { UnsafeMutableRawPointer(mutating: $0.baseAddress)?.assumingMemoryBound(to: Float.self) }
    }
}
