internal import CKernels

/// An elementwise program in the form that the kernels read.
///
/// Sendable because nothing changes after the initializer.
final class CompiledProgram: @unchecked Sendable {
    private var description: graft_program
    private let instructions: UnsafeMutableBufferPointer<graft_instruction>
    private let constants: UnsafeMutableBufferPointer<graft_constant>
    private let operands: UnsafeMutableBufferPointer<graft_operand>
    private let outputs: UnsafeMutableBufferPointer<graft_output>
    /// The random stream by which each output is rounded; empty where none is rounded stochastically.
    private let roundingStreams: [UInt64?]

    /// The fused optimizer kernel that runs the program, with the interpreter's bits; `nil` where it is interpreted.
    let optimizer: String?

    /// Compiles a program for operands of these shapes, broadcast to `result`.
    ///
    /// - Parameter matchesOptimizers: whether to look for its fused optimizer kernel.
    init(_ program: JoinedProgram, result: Shape, matchesOptimizers: Bool = true) throws(GraftError) {
        let assigned = SlotAssignment(program)
        let operands = try Self.operands(program, assigned, result: result)
        self.operands = .copy(of: operands)
        instructions = .copy(of: assigned.instructions)
        constants = .copy(of: assigned.constants)
        outputs = .copy(of: assigned.outputs)
        roundingStreams = program.roundingStreams.contains { $0 != nil } ? program.roundingStreams : []
        description = graft_program(
            slot_count: Int32(assigned.slotCount), instruction_count: Int32(instructions.count),
            constant_count: Int32(constants.count), operand_count: Int32(operands.count),
            output_count: Int32(outputs.count), instructions: instructions.baseAddress,
            constants: constants.baseAddress, operands: self.operands.baseAddress, outputs: outputs.baseAddress,
            optimizer: graft_optimizer_match())
        description.optimizer.kernel = -1
        if matchesOptimizers { graft_match_optimizer(&description) }
        optimizer = graft_optimizer_name(&description).map { String(cString: $0) }
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
            operand.is_bfloat16 = program.operandTypes[register] == .bfloat16 ? 1 : 0
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

    func scratchByteCount(for gradient: inout graft_gradient, threads: Int) -> Int {
        withUnsafePointer(to: description) { graft_gradient_program_scratch_size($0, &gradient, Int32(threads)) }
    }

    func run(
        _ sources: UnsafeMutableBufferPointer<UnsafePointer<Float>?>,
        _ targets: UnsafeMutableBufferPointer<UnsafeMutablePointer<Float>?>, count: Int, _ memory: RunMemory
    ) {
        withArguments(sources, targets, memory) { program, arguments in
            graft_run_program(program, arguments, Int64(count), memory.scratch, Int32(memory.threads))
        }
    }

    func run(
        _ sources: UnsafeMutableBufferPointer<UnsafePointer<Float>?>,
        _ targets: UnsafeMutableBufferPointer<UnsafeMutablePointer<Float>?>, gradient: inout graft_gradient,
        next: graft_next_batch?, _ memory: RunMemory
    ) {
        withArguments(sources, targets, memory) { program, arguments in
            func run(_ next: UnsafePointer<graft_next_batch>?) {
                graft_run_gradient_program(
                    program, &gradient, arguments, next, memory.scratch, Int32(memory.threads))
            }
            if let next { withUnsafePointer(to: next) { run($0) } } else { run(nil) }
        }
    }

    func scratchByteCount(for gradient: graft_convolution_gradient, threads: Int) -> Int {
        var gradient = gradient
        return withUnsafePointer(to: description) {
            graft_convolution_gradient_scratch_size($0, &gradient, Int32(threads))
        }
    }

    func run(
        _ sources: UnsafeMutableBufferPointer<UnsafePointer<Float>?>,
        _ targets: UnsafeMutableBufferPointer<UnsafeMutablePointer<Float>?>, gradient: graft_convolution_gradient,
        _ memory: RunMemory
    ) {
        var gradient = gradient
        withArguments(sources, targets, memory) { program, arguments in
            graft_run_convolution_gradient_program(
                program, &gradient, arguments, memory.scratch, Int32(memory.threads))
        }
    }

    /// Calls `body` with the program and what it reads and writes, the seeds of its roundings included.
    private func withArguments(
        _ sources: UnsafeMutableBufferPointer<UnsafePointer<Float>?>,
        _ targets: UnsafeMutableBufferPointer<UnsafeMutablePointer<Float>?>, _ memory: RunMemory,
        _ body: (UnsafePointer<graft_program>, UnsafePointer<graft_arguments>) -> Void
    ) {
        withUnsafePointer(to: description) { program in
            withRoundings(key: memory.randomKey) { roundings in
                let arguments = graft_arguments(
                    operands: sources.baseAddress, outputs: targets.baseAddress, roundings: roundings)
                withUnsafePointer(to: arguments) { body(program, $0) }
            }
        }
    }

    /// Calls `body` with the seeds of each output's stochastic rounding under a run's key; with `nil` where there is none.
    private func withRoundings(key: UInt64, _ body: (UnsafePointer<graft_rounding>?) -> Void) {
        guard !roundingStreams.isEmpty else { return body(nil) }
        withUnsafeTemporaryAllocation(of: graft_rounding.self, capacity: roundingStreams.count) { roundings in
            for (position, stream) in roundingStreams.enumerated() {
                let seeds = stream.map { StochasticRounding(key: key, stream: $0).seeds } ?? (0, 0)
                roundings.initializeElement(at: position, to: graft_rounding(first: seeds.0, second: seeds.1))
            }
            body(UnsafePointer(roundings.baseAddress))
        }
    }

    /// The operand that a zero gradient only decays.
    func lazyOperand(on gradient: inout graft_gradient) -> Int? {
        let operand = withUnsafePointer(to: description) { graft_lazy_operand($0, &gradient) }
        return operand < 0 ? nil : Int(operand)
    }

    func catchUp(_ gradient: inout graft_gradient, _ state: UnsafeMutablePointer<Float>?, threads: Int) {
        withUnsafePointer(to: description) { graft_catch_up($0, &gradient, state, Int32(threads)) }
    }

    /// Whether a fused optimizer kernel runs it on this gradient.
    func isCompiled(on gradient: inout graft_gradient) -> Bool {
        withUnsafePointer(to: description) { graft_gradient_is_compiled($0, &gradient) }
    }
}

extension UnsafeMutableBufferPointer {
    fileprivate static func copy(of elements: [Element]) -> Self {
        let memory = Self.allocate(capacity: elements.count)
        _ = memory.initialize(from: elements)
        return memory
    }
}
