internal import CKernels

/// An update that leaves rows alone which meet nothing but zeros.
///
/// Most of what comes out of a relu is zero, and a row of a kernel whose inputs are zero in all examples has no gradient.
/// RMSprop does not change it and only makes its mean of squares smaller. How often that was put off is counted, and caught up
/// with when the row is needed or somebody asks for the mean of squares, so that it shows in no bit. Where the mean of squares
/// is rounded by chance, the random bits of the steps are kept for as long as a row may wait.
struct LazyRows: Sendable {
    let step: GradientStep
    /// The variable that waits, which no other step reads or writes.
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

/// What the rows of a variable wait for.
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
