/// An unscheduled step: with what it reads and writes.
struct PlannedStep {
    let step: any Step
    let reads: [BufferID]
    let writes: [BufferID]
    /// Pairs of an operand and a result that may share memory, if the operand is not read afterwards.
    var mayShare: [(operand: BufferID, result: BufferID)] = []
    /// The layer it came from.
    let label: String
    /// The operation's name.
    let operation: String
    /// Whether it is loop-invariant, depending on no input and no updated variable: done once for each binding.
    let isPreparation: Bool
    /// The variables that it depends on.
    let variables: Set<Int>
    /// Its additions and multiplications, for profiles; 0 where it is bound by memory.
    var flopCount = 0
    /// Whether it is scheduled as soon as possible, to free a gradient's memory.
    var isScheduledEarly = false
    /// The shapes of its operation, for messages.
    var shapes: (operands: [Shape], result: Shape)?
}
