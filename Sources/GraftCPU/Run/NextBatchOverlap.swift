internal import CKernels

/// A product of an input with a large variable that the same plan updates: the next batch's forward pass overlaps the update.
///
/// Where the next run's input is known, each tile of the variable is multiplied with it as soon as the tile has its next value,
/// so that the variable is read once for both. The partial sums are those of the product on its own, in the same order: no bit
/// depends on whether the input was known.
struct NextBatchOverlap: Sendable {
    /// The input's position.
    let input: Int
    /// The product, which names the step that computes it.
    let product: BufferID
    /// The variable's next value, which names the step that updates it.
    let nextValue: BufferID
    /// The rows of the input.
    let rows: Int
    /// Whether the product reads them bitmap-compressed.
    let isBitmap: Bool
    let sumsByteCount: Int

    /// The first product of a plan that can overlap an update, or `nil`.
    init?(_ schedule: Schedule) {
        for planned in schedule.run {
            guard let step = planned.step as? SkinnyNNStep,
                case .input(let input) = schedule.buffers[step.left.index].kind,
                case .variable(let variable) = schedule.buffers[step.right.index].kind,
                step.rows <= SkinnyNNStep.mostRows
            else { continue }
            for case let update as GradientStep in schedule.run.map(\.step)
            where update.isCompiled && update.inner == step.inner && update.columns == step.columns {
                let target = update.targets.first { schedule.buffers[$0.index].kind == .nextValue(variable) }
                guard let target else { continue }
                (self.input, product, nextValue) = (input, step.target, target)
                (rows, isBitmap) = (step.rows, step.isBitmap)
                sumsByteCount = step.sumsByteCount
                return
            }
        }
        return nil
    }
}

/// One run's part of a ``NextBatchOverlap``.
struct NextBatchRun {
    let overlap: NextBatchOverlap
    /// The partial sums of the product's blocks.
    let sums: UnsafeMutableRawPointer
    /// Whether the run before has computed them.
    let isReady: Bool
    /// The next run's input, where it is known.
    let next: FedInput?
}
