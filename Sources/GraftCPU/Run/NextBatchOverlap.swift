internal import CKernels

/// A product of an input with a large variable that the same plan updates.
///
/// Where the next run's input is known, each tile of the variable is multiplied with it as soon as the tile has its next
/// value: the variable is read once in two where it would be read twice. The sums are those of the product on its own, in
/// the same order, so that it shows in no bit whether somebody knew.
struct NextBatchOverlap: Sendable {
    /// The input's position.
    let input: Int
    /// The product, which names the step that computes it.
    let product: BufferID
    /// The variable's next value, which names the step that updates it.
    let nextValue: BufferID
    /// The rows of the input.
    let rows: Int
    /// Whether the product reads them packed.
    let isBitmap: Bool
    let sumsByteCount: Int

    /// The first product of a plan that can be computed ahead, or `nil`.
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

/// What one run does of a ``NextBatchOverlap``.
struct NextBatchRun {
    let overlap: NextBatchOverlap
    /// The sums of the product's blocks.
    let sums: UnsafeMutableRawPointer
    /// Whether they are already there, from the run before.
    let isReady: Bool
    /// The next run's input, where it is known.
    let next: FedInput?
}
