internal import CKernels

/// A lazy sparse update: rows whose inputs are all zero are skipped.
///
/// Most outputs of a relu are zero, and a row of a kernel whose inputs are zero in all examples has no gradient. RMSprop does not
/// change its weights and only decays its mean of squares. Those steps are counted, and taken when the row has a gradient again or
/// the mean of squares is read, so that no bit differs. Where the mean of squares is rounded stochastically, the seeds of the
/// deferred steps are kept.
struct LazyRows: Sendable {
    let step: GradientStep
    /// The state with lazy rows, which no other step reads or writes.
    let variable: Int

    /// All such updates of a plan.
    static func all(in schedule: Schedule, outputs: [BufferID]) -> [LazyRows] {
        schedule.run.enumerated().compactMap { index, planned in
            guard let step = planned.step as? GradientStep, let state = step.lazyState,
                case .variable(let variable) = schedule.buffers[state.index].kind,
                let next = schedule.buffers.firstIndex(where: { $0.kind == .nextValue(variable) }),
                step.targets.contains(BufferID(index: next))
            else { return nil }
            let involved: Set = [state, BufferID(index: next)]
            let isShared =
                schedule.preparation.contains { !involved.isDisjoint(with: $0.reads + $0.writes) }
                || schedule.run.enumerated().contains { other, planned in
                    other != index && !involved.isDisjoint(with: planned.reads + planned.writes)
                }
            guard !isShared, involved.isDisjoint(with: outputs) else { return nil }
            return LazyRows(step: step, variable: variable)
        }
    }
}

/// The deferred steps of a variable's rows.
///
/// Sendable because it is written to only by the one run that holds its binding.
final class LazyRowState: @unchecked Sendable {
    let description: UnsafeMutablePointer<graft_lazy_rows>

    init(_ rows: LazyRows) {
        let counts = UnsafeMutablePointer<UInt8>.allocate(capacity: rows.step.inner)
        counts.initialize(repeating: 0, count: rows.step.inner)
        let roundings = UnsafeMutablePointer<graft_rounding>.allocate(capacity: Int(graft_lazy_rounding_count))
        roundings.initialize(repeating: graft_rounding(), count: Int(graft_lazy_rounding_count))
        description = .allocate(capacity: 1)
        description.initialize(to: graft_lazy_rows(counts: counts, roundings: roundings, step: 0))
    }

    deinit {
        description.pointee.counts.deallocate()
        description.pointee.roundings.deallocate()
        description.deallocate()
    }
}
