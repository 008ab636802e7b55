internal import CKernels

/// Elementwise programs in one pass over memory, with one result or several.
struct ProgramStep: Step {
    private let program: CompiledProgram
    private let operands: [BufferID]
    private let targets: [BufferID]
    private let count: Int
    let scratchByteCount: Int

    var implementation: String { "graft:elementwise" }

    init(_ program: CompiledProgram, operands: [BufferID], targets: [BufferID], count: Int, threads: Int) {
        (self.program, self.operands, self.targets, self.count) = (program, operands, targets, count)
        scratchByteCount = program.scratchByteCount(threads: threads)
    }

    /// An activation of what a buffer holds.
    init(_ activation: FusedActivation, inPlaceOf buffer: BufferID, shape: Shape, threads: Int) throws(GraftError) {
        var joined = JoinedProgram(operandShapes: [shape])
        _ = joined.append(activation.program, registers: [0])
        try self.init(
            CompiledProgram(joined, result: shape), operands: [buffer], targets: [buffer], count: shape.elementCount,
            threads: threads)
    }

    func run(_ memory: RunMemory) {
        withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: operands.count) { sources in
            withUnsafeTemporaryAllocation(of: UnsafeMutablePointer<Float>?.self, capacity: targets.count) { results in
                for (position, operand) in operands.enumerated() {
                    sources.initializeElement(at: position, to: UnsafePointer(memory[operand]))
                }
                for (position, target) in targets.enumerated() {
                    results.initializeElement(at: position, to: memory[target])
                }
                program.run(sources, results, count: count, memory)
            }
        }
    }
}

/// A program in the form that the kernels read.
///
/// Sendable because nothing changes after the initializer.
final class CompiledProgram: @unchecked Sendable {
    private var description: graft_program
    private let instructions: UnsafeMutableBufferPointer<graft_instruction>
    private let constants: UnsafeMutableBufferPointer<graft_constant>
    private let operands: UnsafeMutableBufferPointer<graft_operand>
    private let outputs: UnsafeMutableBufferPointer<graft_output>

    /// Compiles a program for operands of these shapes, broadcast to `result`.
    init(_ program: JoinedProgram, result: Shape) throws(GraftError) {
        let assigned = SlotAssignment(program)
        let operands = try Self.operands(program, assigned, result: result)
        self.operands = .copy(of: operands)
        instructions = .copy(of: assigned.instructions)
        constants = .copy(of: assigned.constants)
        outputs = .copy(of: assigned.outputs)
        description = graft_program(
            slot_count: Int32(assigned.slotCount), instruction_count: Int32(instructions.count),
            constant_count: Int32(constants.count), operand_count: Int32(operands.count),
            output_count: Int32(outputs.count), instructions: instructions.baseAddress,
            constants: constants.baseAddress, operands: self.operands.baseAddress, outputs: outputs.baseAddress)
    }

    deinit {
        instructions.deallocate()
        constants.deallocate()
        operands.deallocate()
        outputs.deallocate()
    }

    private static func operands(
        _ program: JoinedProgram, _ assigned: SlotAssignment, result: Shape
    ) throws(GraftError) -> [graft_operand] {
        var operands: [graft_operand] = []
        for (register, shape) in program.operandShapes.enumerated() {
            let axes = CollapsedAxes(shape, broadcastTo: result)
            try axes.checkRank()
            var operand = graft_operand()
            operand.slot = Int32(register)
            operand.last_read = Int32(assigned.lastRead(ofSlot: register) ?? -1)
            operand.rank = Int32(axes.sizes.count)
            fill(&operand.sizes, with: axes.sizes)
            fill(&operand.strides, with: axes.strides)
            let layout =
                switch axes.strides {
                case [], [0]: graft_scalar
                case [1]: graft_full
                default: graft_general
                }
            operand.layout = Int32(layout.rawValue)
            operands.append(operand)
        }
        return operands
    }

    func scratchByteCount(threads: Int) -> Int {
        withUnsafePointer(to: description) { graft_program_scratch_size($0, Int32(threads)) }
    }

    func run(
        _ sources: UnsafeMutableBufferPointer<UnsafePointer<Float>?>,
        _ targets: UnsafeMutableBufferPointer<UnsafeMutablePointer<Float>?>, count: Int, _ memory: RunMemory
    ) {
        withUnsafePointer(to: description) {
            graft_run_program(
                $0, sources.baseAddress, targets.baseAddress, Int64(count), memory.scratch, Int32(memory.threads))
        }
    }
}

extension UnsafeMutableBufferPointer {
    fileprivate static func copy(of elements: [Element]) -> Self {
        let memory = Self.allocate(capacity: elements.count)
        _ = memory.initialize(from: elements)
        return memory
    }
}

extension FusedActivation {
    fileprivate var program: ElementwiseProgram {
        switch self {
        case .relu: ElementwiseProgram(operandCount: 1, instructions: [.unary(.relu, 0)])
        case .relu6:
            ElementwiseProgram(
                operandCount: 1, instructions: [.unary(.relu, 0), .constant(6), .binary(.minimum, 1, 2)])
        case .sigmoid: ElementwiseProgram(operandCount: 1, instructions: [.unary(.sigmoid, 0)])
        case .tanh: ElementwiseProgram(operandCount: 1, instructions: [.unary(.tanh, 0)])
        }
    }
}
