/// The guarded memory of one run, if the options ask for it: everything that steps may write is surrounded by guard words, which
/// are checked after each step.
///
/// The arena's layout has room for them. Outputs and updated variables are written to the run's own memory, and copied at its
/// end.
struct RunGuards {
    private struct Guarded {
        let buffer: BufferID
        let range: GuardedRange
        /// The steps during which nothing else shares the memory.
        let lifetime: ClosedRange<Int>
    }

    private let schedule: Schedule
    private let scratch: ScratchGuards
    private let prepared: [(buffer: BufferID, memory: Memory)]
    private let outputs: [Int: Memory]
    private let variables: [Int: Memory]
    private let temporaries: [Guarded]

    init(_ plan: CompiledPlan, _ binding: Binding, arena: Memory, scratch: Memory) throws(GraftError) {
        schedule = plan.schedule
        self.scratch = ScratchGuards(base: scratch.base)
        prepared = binding.prepared.map { ($0.key, $0.value) }
        let lifetimes = plan.schedule.lifetimes
        temporaries = plan.schedule.offsets.compactMap { buffer, offset in
            lifetimes[buffer].map { lifetime in
                let range = GuardedRange(
                    base: arena.base + offset + GuardedRange.guardByteCount,
                    byteCount: plan.schedule.buffers[buffer.index].byteCount)
                return Guarded(buffer: buffer, range: range, lifetime: lifetime)
            }
        }
        var (outputs, variables): ([Int: Memory], [Int: Memory]) = ([:], [:])
        for buffer in plan.schedule.buffers {
            switch buffer.kind {
            case .output(let position): outputs[position] = try Memory(byteCount: buffer.byteCount, isGuarded: true)
            case .variable(let position), .nextValue(let position):
                guard plan.variables[position].isUpdated, variables[position] == nil else { continue }
                let memory = try Memory(byteCount: buffer.byteCount, isGuarded: true)
                if let value = binding.values[position].address {
                    memory.base.copyMemory(from: value, byteCount: buffer.byteCount)
                }
                variables[position] = memory
            default: continue
            }
        }
        (self.outputs, self.variables) = (outputs, variables)
    }

    /// The guarded memory of a buffer; `nil` where it has none.
    func address(of buffer: BufferID) -> UnsafeMutablePointer<Float>? {
        let base: UnsafeMutableRawPointer? =
            switch schedule.buffers[buffer.index].kind {
            case .temporary: temporaries.first { $0.buffer == buffer }?.range.base
            case .output(let position): outputs[position]?.base
            case .variable(let position), .nextValue(let position): variables[position]?.base
            case .prepared, .input, .constant, .view: nil
            }
        return base?.assumingMemoryBound(to: Float.self)
    }

    /// Writes the guard words of the memory that a step is the first to use.
    func begin(_ position: Int) {
        for guarded in temporaries where guarded.lifetime.lowerBound == position { guarded.range.mark() }
        scratch.mark(for: schedule.run[position].step)
    }

    /// Checks all guard words.
    ///
    /// - Throws: ``GraftError`` that names the step, its kernel and its shapes, if one was overwritten.
    func end(_ position: Int) throws(GraftError) {
        let planned = schedule.run[position]
        try scratch.check(after: planned)
        for guarded in temporaries where guarded.lifetime.contains(position) {
            try planned.checkGuards(of: guarded.range, "a value of \(byteCount(guarded.buffer)) bytes in the arena")
        }
        for (buffer, memory) in prepared {
            try planned.checkGuards(of: memory.range, "a prepared value of \(byteCount(buffer)) bytes")
        }
        for (position, memory) in outputs { try planned.checkGuards(of: memory.range, "output \(position)") }
        for (position, memory) in variables {
            try planned.checkGuards(of: memory.range, "updated variable \(position)")
        }
    }

    private func byteCount(_ buffer: BufferID) -> Int { schedule.buffers[buffer.index].byteCount }

    /// Copies results to their tensors; variables only if the run is complete.
    func finish(_ plan: CompiledPlan, _ binding: Binding, outputs results: inout [Tensor], isComplete: Bool) {
        for (position, memory) in outputs {
            results[position].withUnsafeMutableBuffer { target in
                guard let target = target.baseAddress else { return }
                UnsafeMutableRawPointer(target).copyMemory(from: memory.base, byteCount: memory.byteCount)
            }
        }
        guard isComplete else { return }
        for (position, memory) in variables {
            let target =
                plan.replaced.contains(position)
                ? binding.addressOfNextValue(position) : binding.address(ofVariable: position, plan)
            target.map { UnsafeMutableRawPointer($0).copyMemory(from: memory.base, byteCount: memory.byteCount) }
        }
    }
}

/// Guard words around each part of the scratch memory that a step uses.
struct ScratchGuards {
    let base: UnsafeMutableRawPointer

    /// The scratch memory that steps need with guard words.
    static func byteCount(for steps: [any Step]) -> Int {
        let gap = GuardedRange.guardByteCount
        return steps.map { $0.scratchParts.reduce(gap) { $0 + Memory.aligned($1) + gap } }.max() ?? gap
    }

    func mark(for step: any Step) { for range in ranges(step) { range.mark() } }

    func check(after planned: PlannedStep) throws(GraftError) {
        for range in ranges(planned.step) {
            try planned.checkGuards(of: range, "its scratch memory of \(range.byteCount) bytes")
        }
    }

    private func ranges(_ step: any Step) -> [GuardedRange] {
        let parts = step.scratchParts
        return parts.indices.map { index in
            let offset = RunMemory.offset(ofScratch: index, in: parts, gap: GuardedRange.guardByteCount)
            return GuardedRange(base: base + GuardedRange.guardByteCount + offset, byteCount: parts[index])
        }
    }
}

extension PlannedStep {
    /// - Throws: ``GraftError`` if the guard words around a range were overwritten.
    func checkGuards(of range: GuardedRange, _ what: @autoclosure () -> String) throws(GraftError) {
        guard let damage = range.damage else { return }
        let layer = label.isEmpty ? "" : " of '\(label)'"
        throw GraftError(
            .backend,
            "\(operation)\(layer) by the kernel \(step.implementation), \(step.request ?? shapesText), wrote \(damage) of "
                + "\(what()); that kernel is at fault: choose another precision, and report this message")
    }

    private var shapesText: String {
        guard let shapes else { return "whose shapes are not known" }
        return "from \(shapes.operands.map(\.description).joined(separator: ", ")) to \(shapes.result)"
    }
}
