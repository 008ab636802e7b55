internal import CKernels

/// An update that leaves rows alone which meet nothing but zeros.
///
/// Most of what comes out of a relu is zero, and a row of a kernel whose inputs are zero in all examples has no gradient.
/// RMSprop does not change it and only makes its mean of squares smaller. How often that was put off is counted, and caught up
/// with when the row is needed or somebody asks for the mean of squares, so that it shows in no bit.
struct PostponedRows: Sendable {
    let step: GradientStep
    /// The variable that waits, which no other step reads or writes.
    let variable: Int

    /// All such updates of a plan.
    static func all(in schedule: Schedule, outputs: [BufferID]) -> [PostponedRows] {
        schedule.run.enumerated().compactMap { index, draft in
            guard let step = draft.step as? GradientStep, let state = step.postponable,
                case .variable(let variable) = schedule.buffers[state.index].place,
                let next = schedule.buffers.firstIndex(where: { $0.place == .nextValue(variable) }),
                step.targets.contains(BufferID(index: next))
            else { return nil }
            let involved: Set = [state, BufferID(index: next)]
            let isShared =
                schedule.preparation.contains { !involved.isDisjoint(with: $0.reads + $0.writes) }
                || schedule.run.enumerated().contains { other, draft in
                    other != index && !involved.isDisjoint(with: draft.reads + draft.writes)
                }
            guard !isShared, involved.isDisjoint(with: outputs) else { return nil }
            return PostponedRows(step: step, variable: variable)
        }
    }
}

/// How often each row of a variable waits to be made smaller.
///
/// Sendable because it is written to only by the one run that holds its binding.
final class PostponedCounts: @unchecked Sendable {
    let counts: UnsafeMutableBufferPointer<UInt8>

    init(_ rows: PostponedRows) {
        counts = .allocate(capacity: rows.step.inner)
        counts.initialize(repeating: 0)
    }

    deinit { counts.deallocate() }
}
