/// Several elementwise operations as one: a straight line of instructions run over each element, so that intermediate
/// results stay in registers or in the first-level cache. Made by the fusion pass, never by layers.
///
/// Operand `i` of the operation is register `i`; each instruction writes the next register; the last is the result.
/// Operands are broadcast to the result's shape.
public struct ElementwiseProgram: Hashable, Sendable {
    /// One step. Registers are numbered from 0, operands first.
    public enum Instruction: Hashable, Sendable {
        /// A fixed number.
        case constant(Float)
        /// A function of one register.
        case unary(UnaryFunction, Int)
        /// A function of two registers.
        case binary(BinaryFunction, Int, Int)
        /// `condition, whenTrue, whenFalse`
        case select(Int, Int, Int)
    }

    /// How many operands the operation takes.
    public var operandCount: Int
    /// The steps, in order.
    public var instructions: [Instruction]

    /// A program; `instructions` is not empty and reads only registers written before.
    public init(operandCount: Int, instructions: [Instruction]) {
        (self.operandCount, self.instructions) = (operandCount, instructions)
    }

    /// Whether there is a result and every instruction reads only registers written before it.
    public var isWellFormed: Bool {
        guard operandCount >= 0, !instructions.isEmpty else { return false }
        for (position, instruction) in instructions.enumerated() {
            let (written, overflow) = operandCount.addingReportingOverflow(position)
            guard !overflow, instruction.registers.allSatisfy({ (0..<written).contains($0) }) else { return false }
        }
        return true
    }
}

extension ElementwiseProgram.Instruction {
    /// The registers it reads, in order.
    public var registers: [Int] {
        switch self {
        case .constant: []
        case .unary(_, let operand): [operand]
        case .binary(_, let left, let right): [left, right]
        case .select(let condition, let whenTrue, let whenFalse): [condition, whenTrue, whenFalse]
        }
    }

    /// The same step on other registers.
    package func renumbered(_ register: (Int) -> Int) -> ElementwiseProgram.Instruction {
        switch self {
        case .constant: self
        case .unary(let function, let operand): .unary(function, register(operand))
        case .binary(let function, let left, let right): .binary(function, register(left), register(right))
        case .select(let condition, let whenTrue, let whenFalse):
            .select(register(condition), register(whenTrue), register(whenFalse))
        }
    }
}

extension ElementwiseProgram {
    /// The result for one element of each operand, in 64 bits.
    func run(_ operands: [Double]) -> Double {
        var registers = operands
        for instruction in instructions {
            switch instruction {
            case .constant(let value): registers.append(Double(value))
            case .unary(let function, let operand): registers.append(function(registers[operand]))
            case .binary(let function, let left, let right):
                registers.append(function(registers[left], registers[right]))
            case .select(let condition, let whenTrue, let whenFalse):
                registers.append(registers[condition] != 0 ? registers[whenTrue] : registers[whenFalse])
            }
        }
        return registers[registers.count - 1]
    }
}
