/// A step with what the planner has to know of it: what it reads and writes.
struct StepDraft {
    let step: any Step
    let reads: [BufferID]
    let writes: [BufferID]
    /// Pairs of an operand and a result that may share memory, if nobody reads the operand afterwards.
    var mayShare: [(operand: BufferID, result: BufferID)] = []
    /// The layer it came from.
    let label: String
    /// The operation's name.
    let operation: String
    /// Whether it depends on no input and no variable that runs change: done once for each binding.
    let isPreparation: Bool
    /// The variables that it depends on.
    let variables: Set<Int>
    /// Its additions and multiplications, for profiles; 0 where memory alone counts.
    var flopCount = 0
    /// Whether it should run as soon as it can, so that a gradient's memory is free again.
    var isUrgent = false
    /// The shapes of the operation that it does, for messages.
    var shapes: (operands: [Shape], result: Shape)?
}
