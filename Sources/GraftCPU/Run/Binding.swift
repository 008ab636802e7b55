internal import CKernels

/// The variables' values, and what is computed from them once: folded and packed kernels.
///
/// Sendable because a plan without updates never changes a binding, and one with updates runs under a lock.
final class Binding: @unchecked Sendable {
    /// In the order of the plan's variables.
    private(set) var values: [Tensor]
    private(set) var prepared: [BufferID: Memory] = [:]
    /// The next values that a run writes to other memory, because the old ones are shared, by position.
    private var next: [Int: Tensor] = [:]
    /// The values before those, whose memory is written next if it is not shared any more.
    private let former: FormerValues
    /// The input whose product with the variables' current values has its partial sums in ``nextSums``.
    private var multipliedInput: FedInput?
    private var nextSums: Memory?
    /// Lazy-row state of each fused update.
    private let lazy: [LazyRowState]
    /// How often memory was allocated for a variable.
    private(set) var allocationCount = 0

    /// Binds values; what depends on no variable that differs from `previous` is reused from there.
    init(
        _ plan: CompiledPlan, _ given: [VariableID: Tensor], previous: Binding?, former: FormerValues
    ) throws(GraftError) {
        self.former = former
        values = []
        lazy = plan.lazyRows.map(LazyRowState.init)
        allocationCount = previous?.allocationCount ?? 0
        for variable in plan.variables { try values.append(Self.value(of: variable, in: given)) }
        let changed = values.indices.filter { values[$0].address != previous?.values[$0].address }
        try prepare(plan, changed: Set(changed), previous: previous)
    }

    private static func value(
        of variable: PlannedVariable, in given: [VariableID: Tensor]
    ) throws(GraftError) -> Tensor {
        let (id, shape) = (variable.id, variable.shape)
        guard let value = given[id] else {
            throw GraftError(.argument, "variable \(id.rawValue) of the shape \(shape) has no value; bind one")
        }
        guard value.shape == shape else {
            throw GraftError(
                .shape, "variable \(id.rawValue) was given a value of the shape \(value.shape), its shape is \(shape)")
        }
        guard value.elementType == variable.elementType else {
            throw GraftError(
                .argument,
                "variable \(id.rawValue) was given numbers of \(value.elementType.rawValue), it is of "
                    + "\(variable.elementType.rawValue)")
        }
        return value
    }

    // MARK: Updates

    /// A variable's memory; copied on write if it is shared and parts of it are about to be written.
    func address(ofVariable position: Int, _ plan: CompiledPlan) -> UnsafeMutablePointer<Float>? {
        let isWritten = plan.variables[position].isUpdated && !plan.replaced.contains(position)
        guard isWritten, !values[position].isUnshared() else { return values[position].address }
        allocationCount += 1
        _ = values[position].withUnsafeMutableStoredBytes { $0.count }
        return values[position].address
    }

    /// The memory of a variable's next value: in place, or other memory if the old value is shared, so that the pass that
    /// computes it also copies it.
    func addressOfNextValue(_ position: Int) -> UnsafeMutablePointer<Float>? {
        guard !values[position].isUnshared() else { return values[position].address }
        if let memory = former.take(position) {
            next[position] = memory
        } else {
            allocationCount += 1
            next[position] = Tensor(
                uninitialized: values[position].shape, as: values[position].elementType
            ) { _ in }
        }
        return next[position]?.address
    }

    /// Swaps in the next values that a run wrote to other memory.
    ///
    /// - Parameter input: the next run's input, if its product overlapped this run.
    func takeNextValues(multiplied input: FedInput?) {
        for (position, value) in next {
            former.keep(values[position], position)
            values[position] = value
        }
        next = [:]
        multipliedInput = input
    }

    /// Drops the next values of a run that did not complete, because it failed or its loss was NaN or infinite.
    func dropNextValues() {
        for (position, value) in next { former.keep(value, position) }
        next = [:]
    }

    /// A run's part of the next-batch overlap: it uses the product that the run before computed, if that was for the same input,
    /// and computes the one for the next input, if that is known.
    func overlapRun(
        _ plan: CompiledPlan, _ inputs: [FedInput], next: FedInput?
    ) throws(GraftError) -> NextBatchRun? {
        guard let overlap = plan.overlap else { return nil }
        let isReady = multipliedInput?.isSame(as: inputs[overlap.input]) ?? false
        // If the run fails, the sums are of no use.
        multipliedInput = nil
        guard next != nil || isReady else { return nil }
        let sums = try memoryOfNextSums(overlap)
        return NextBatchRun(overlap: overlap, sums: sums.base, isReady: isReady, next: next)
    }

    private func memoryOfNextSums(_ overlap: NextBatchOverlap) throws(GraftError) -> Memory {
        if let nextSums { return nextSums }
        let memory = try Memory(byteCount: overlap.sumsByteCount)
        allocationCount += 1
        nextSums = memory
        return memory
    }

    func lazyRowStates(_ plan: CompiledPlan) -> [BufferID: UnsafeMutablePointer<graft_lazy_rows>] {
        var steps: [BufferID: UnsafeMutablePointer<graft_lazy_rows>] = [:]
        for (rows, state) in zip(plan.lazyRows, lazy) {
            if let buffer = rows.step.lazyState { steps[buffer] = state.description }
        }
        return steps
    }

    /// Takes a variable's deferred steps before it is read.
    func catchUp(_ plan: CompiledPlan, variable position: Int) {
        for (rows, state) in zip(plan.lazyRows, lazy) where rows.variable == position {
            rows.step.catchUp(values[rows.variable].address, state.description, threads: plan.threads)
        }
    }

    // MARK: Preparation

    private func prepare(_ plan: CompiledPlan, changed: Set<Int>, previous: Binding?) throws(GraftError) {
        let steps = needed(plan, changed: changed, previous: previous)
        guard !steps.isEmpty else { return }
        for planned in steps {
            for buffer in planned.writes {
                prepared[buffer] = try Memory(
                    byteCount: plan.schedule.buffers[buffer.index].byteCount, isGuarded: plan.guardsMemory)
            }
        }
        let scratch = try Memory(byteCount: plan.preparationScratchByteCount)
        let stream = try Stream(plan.engine)
        let count = plan.schedule.buffers.count
        let table = UnsafeMutablePointer<UnsafeMutablePointer<Float>>.allocate(capacity: max(count, 1))
        defer { table.deallocate() }
        for index in 0..<count {
            let pointer = address(of: index, plan) ?? scratch.base.assumingMemoryBound(to: Float.self)
            (table + index).initialize(to: pointer)
        }
        let guards = plan.guardsMemory ? ScratchGuards(base: scratch.base) : nil
        let gap = guards == nil ? 0 : GuardedRange.guardByteCount
        let memory = RunMemory(
            buffers: table, scratch: scratch.base + gap, streams: [stream], threads: 1, randomKey: 0, scratchGap: gap)
        // Hundreds of small steps: waking threads for each would cost more than it gains.
        graft_set_thread_count(1)
        for planned in steps {
            guards?.mark(for: planned.step)
            try planned.step.run(memory)
            if let guards { try check(guards, after: planned) }
        }
        prepared = prepared.filter { plan.kept.contains($0.key) }
    }

    private func check(_ guards: ScratchGuards, after planned: PlannedStep) throws(GraftError) {
        try guards.check(after: planned)
        for memory in prepared.values {
            try planned.checkGuards(of: memory.range, "a prepared value of \(memory.byteCount) bytes")
        }
    }

    private func address(of index: Int, _ plan: CompiledPlan) -> UnsafeMutablePointer<Float>? {
        switch plan.schedule.buffers[index].kind {
        case .prepared: prepared[BufferID(index: index)]?.base.assumingMemoryBound(to: Float.self)
        case .variable(let position): values[position].address
        case .constant(let position): plan.constants[position].address
        case .temporary, .input, .view, .output, .nextValue: nil
        }
    }

    /// The steps that have to run, in order; reuses what has not changed.
    private func needed(_ plan: CompiledPlan, changed: Set<Int>, previous: Binding?) -> [PlannedStep] {
        var required: Set<BufferID> = []
        var writers: [BufferID: PlannedStep] = [:]
        for planned in plan.schedule.preparation { for buffer in planned.writes { writers[buffer] = planned } }
        func require(_ buffer: BufferID) {
            let isUnchanged = writers[buffer]?.variables.isDisjoint(with: changed) ?? false
            if isUnchanged, let memory = previous?.prepared[buffer] {
                prepared[buffer] = memory
            } else {
                required.insert(buffer)
            }
        }
        for buffer in plan.kept { require(buffer) }
        var steps: [PlannedStep] = []
        for planned in plan.schedule.preparation.reversed() where planned.writes.contains(where: required.contains) {
            for buffer in planned.reads where writers[buffer] != nil { require(buffer) }
            steps.append(planned)
        }
        return steps.reversed()
    }
}

/// The values of a plan's variables before their last updates: double buffering.
///
/// Where a value is shared, with the model after an epoch for instance, a run writes the next one to other memory. The memory of
/// the value before is mostly free by then: the model released it when it took the new one. So two arrays alternate. Belongs to
/// the plan, so that it lasts while another plan has the variables; used under the plan's lock.
final class FormerValues: @unchecked Sendable {
    private var byPosition: [Int: Tensor] = [:]

    /// Remembers a value that a run has replaced.
    func keep(_ value: Tensor, _ position: Int) { byPosition[position] = value }

    /// Unshared memory for a variable's next value; `nil` where there is none.
    func take(_ position: Int) -> Tensor? {
        guard var value = byPosition.removeValue(forKey: position) else { return nil }
        return value.isUnshared() ? value : nil
    }
}
