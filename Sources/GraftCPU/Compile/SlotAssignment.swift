internal import CKernels

/// Gives each register of a program a slot: a block of a few hundred elements in the first-level cache. Slots are reused once
/// their register is dead.
struct SlotAssignment {
    private(set) var instructions: [graft_instruction] = []
    private(set) var constants: [graft_constant] = []
    private(set) var outputs: [graft_output] = []
    private(set) var slotCount: Int
    private var slots: [Int] = []
    private var free: [Int] = []

    init(_ program: JoinedProgram) {
        // Operands keep the slot of their position, for a block that has to be gathered or filled.
        slotCount = program.operandShapes.count
        slots = Array(0..<slotCount)
        let lastReads = Self.lastReads(program)
        for (position, instruction) in program.instructions.enumerated() {
            let register = program.operandShapes.count + position
            if case .constant(let value) = instruction {
                // Constants are written once, before the first block, so that their slots are never used again.
                slots.append(newSlot())
                constants.append(graft_constant(slot: Int32(slots[register]), value: value))
                continue
            }
            // A result's slot may be the result's memory from the beginning, so no other register may use it.
            let slot = program.outputs.contains(register) ? newSlot() : free.popLast() ?? newSlot()
            slots.append(slot)
            append(instruction, to: slot)
            for read in Set(instruction.registers) where lastReads[read] == position { release(read, of: program) }
            if lastReads[register] == nil { free.append(slot) }
        }
        addOutputs(of: program)
    }

    /// The position of the last instruction that reads a slot, or `nil`.
    func lastRead(ofSlot slot: Int) -> Int? {
        instructions.lastIndex { [$0.a, $0.b, $0.c].contains(Int32(slot)) }
    }

    private mutating func newSlot() -> Int {
        slotCount += 1
        return slotCount - 1
    }

    /// When each register is read last; a result is read after the end.
    private static func lastReads(_ program: JoinedProgram) -> [Int: Int] {
        var lastReads: [Int: Int] = [:]
        for (position, instruction) in program.instructions.enumerated() {
            for read in instruction.registers { lastReads[read] = position }
        }
        for output in program.outputs { lastReads[output] = program.instructions.count }
        return lastReads
    }

    private mutating func release(_ register: Int, of program: JoinedProgram) {
        let position = register - program.operandShapes.count
        guard position >= 0 else { return }
        if case .constant = program.instructions[position] { return }
        free.append(slots[register])
    }

    private mutating func append(_ instruction: JoinedProgram.Instruction, to slot: Int) {
        var step = graft_instruction()
        step.destination = Int32(slot)
        let reads = instruction.registers.map { Int32(slots[$0]) }
        step.a = reads.first ?? 0
        step.b = reads.count > 1 ? reads[1] : step.a
        step.c = reads.count > 2 ? reads[2] : step.a
        step.operation = Int32(instruction.operation.rawValue)
        instructions.append(step)
    }

    /// Each result is written by an instruction of its own; operands, constants and repeated results are copied.
    private mutating func addOutputs(of program: JoinedProgram) {
        var taken: Set<Int> = []
        for (number, register) in program.outputs.enumerated() {
            var output = graft_output()
            let isBFloat16 = number < program.outputTypes.count && program.outputTypes[number] == .bfloat16
            let isStochastic = number < program.roundingStreams.count && program.roundingStreams[number] != nil
            (output.is_bfloat16, output.is_stochastic) = (isBFloat16 ? 1 : 0, isStochastic ? 1 : 0)
            let position = register - program.operandShapes.count
            var isOwn = position >= 0 && taken.insert(register).inserted
            if isOwn, case .constant = program.instructions[position] { isOwn = false }
            if isOwn {
                output.slot = Int32(slots[register])
                output.writer = Int32(instructions.lastIndex { $0.destination == output.slot } ?? 0)
            } else {
                var step = graft_instruction()
                step.operation = Int32(graft_copy.rawValue)
                step.a = Int32(slots[register])
                (step.b, step.c) = (step.a, step.a)
                step.destination = Int32(newSlot())
                instructions.append(step)
                (output.slot, output.writer) = (step.destination, Int32(instructions.count - 1))
            }
            outputs.append(output)
        }
    }
}

extension ElementwiseProgram.Instruction {
    fileprivate var operation: graft_operation {
        switch self {
        case .constant: graft_copy
        case .unary(let function, _): function.operation
        case .binary(let function, _, _): function.operation
        case .select: graft_select
        }
    }
}

extension UnaryFunction {
    fileprivate var operation: graft_operation {
        switch self {
        case .negate: graft_negate
        case .absolute: graft_absolute
        case .sign: graft_sign
        case .square: graft_square
        case .squareRoot: graft_square_root
        case .reciprocalSquareRoot: graft_reciprocal_square_root
        case .exponential: graft_exponential
        case .exponentialMinusOne: graft_exponential_minus_one
        case .logarithm: graft_logarithm
        case .logarithmOnePlus: graft_logarithm_one_plus
        case .relu: graft_relu
        case .sigmoid: graft_sigmoid
        case .tanh: graft_tanh
        case .errorFunction: graft_error_function
        }
    }
}

extension BinaryFunction {
    fileprivate var operation: graft_operation {
        switch self {
        case .add: graft_add
        case .subtract: graft_subtract
        case .multiply: graft_multiply
        case .divide: graft_divide
        case .maximum: graft_maximum
        case .minimum: graft_minimum
        case .power: graft_power
        case .greater: graft_greater
        case .greaterOrEqual: graft_greater_or_equal
        case .equal: graft_equal
        }
    }
}
