/// Elementwise programs over one result shape, joined so that one pass over memory computes all their results.
///
/// Registers are numbered as in ``ElementwiseProgram``: operands first, then one for each instruction.
struct JoinedProgram {
    typealias Instruction = ElementwiseProgram.Instruction

    /// The operands' shapes, each broadcast to the result's.
    let operandShapes: [Shape]
    /// The types that the operands have in memory.
    var operandTypes: [ElementType]
    private(set) var instructions: [Instruction] = []
    /// The register of each result.
    var outputs: [Int] = []
    /// The types that the results have in memory; float32 where this is empty.
    var outputTypes: [ElementType] = []
    /// The random stream of each result's stochastic rounding, `nil` for one rounded to nearest; empty where all are.
    var roundingStreams: [UInt64?] = []
    private var known: [Instruction: Int] = [:]

    init(operandShapes: [Shape]) {
        self.operandShapes = operandShapes
        operandTypes = operandShapes.map { _ in .float32 }
    }

    /// Adds a program whose operand `i` is register `registers[i]`.
    ///
    /// - Returns: the result's register, which later programs may read.
    mutating func append(_ program: ElementwiseProgram, registers operands: [Int]) -> Int {
        var registers = operands
        for instruction in program.instructions {
            registers.append(add(instruction.renumbered { registers[$0] }))
        }
        return registers[registers.count - 1]
    }

    /// The same instruction on the same registers is computed once.
    private mutating func add(_ instruction: Instruction) -> Int {
        if let register = known[instruction] { return register }
        instructions.append(instruction)
        let register = operandShapes.count + instructions.count - 1
        known[instruction] = register
        return register
    }
}
