internal import CKernels

/// Elementwise programs in one pass over memory, with one result or several.
struct ProgramStep: Step {
    private let program: CompiledProgram
    private let operands: [BufferID?]
    private let targets: [BufferID]
    private let count: Int
    let scratchByteCount: Int

    var implementation: String { "graft:elementwise" }

    init(_ program: CompiledProgram, operands: [BufferID], targets: [BufferID], count: Int, threads: Int) {
        (self.program, self.operands, self.targets, self.count) = (program, operands, targets, count)
        scratchByteCount = program.scratchByteCount(threads: threads)
    }

    /// `activation(what a buffer holds + addend)`, in the buffer; `nil` where nothing is to be done.
    init?(
        addend: BufferID?, _ activation: FusedActivation?, inPlaceOf buffer: BufferID, shape: Shape, type: ElementType,
        threads: Int
    ) throws(GraftError) {
        guard addend != nil || activation != nil else { return nil }
        let operands = [buffer] + (addend.map { [$0] } ?? [])
        var joined = JoinedProgram(operandShapes: operands.map { _ in shape })
        var result = 0
        if addend != nil {
            let addition = ElementwiseProgram(operandCount: 2, instructions: [.binary(.add, 0, 1)])
            result = joined.append(addition, registers: [0, 1])
        }
        if let activation { result = joined.append(activation.program, registers: [result]) }
        joined.outputs = [result]
        (joined.operandTypes, joined.outputTypes) = (operands.map { _ in type }, [type])
        try self.init(
            CompiledProgram(joined, result: shape), operands: operands, targets: [buffer], count: shape.elementCount,
            threads: threads)
    }

    func run(_ memory: RunMemory) {
        withPointers(to: operands, targets, memory) { sources, results in
            program.run(sources, results, count: count, memory)
        }
    }
}

/// The gradient of a dense layer's kernel with the programs that update it: the gradient is computed tile by tile and
/// never stands in memory.
struct GradientStep: Step {
    /// `leftᵀ · right`
    struct Product: Sendable {
        let left: BufferID
        let right: BufferID
        let examples: Int
        let rows: Int
        let columns: Int
    }

    /// The gradient of the layer's input, `right · kernelᵀ`, which the step computes on the way: it reads the kernel anyhow.
    struct InputGradient: Sendable {
        let kernel: BufferID
        let target: BufferID
    }

    private let program: CompiledProgram
    private let product: Product
    private let inputGradient: InputGradient?
    /// `nil` for the gradient itself.
    private let operands: [BufferID?]
    let targets: [BufferID]
    let scratchByteCount: Int
    /// Whether it runs compiled, and may compute a product ahead.
    let isCompiled: Bool
    /// What rows of zeros only make smaller, which may wait; see ``PostponedRows``.
    let postponable: BufferID?

    /// The gradient's rows: the inner axis of a product with what it updates.
    var inner: Int { product.rows }
    var columns: Int { product.columns }
    var computesInputGradient: Bool { inputGradient != nil }
    var implementation: String {
        "graft:gradient+\(inputGradient == nil ? "" : "row product+")\(program.rule ?? "update")"
    }

    init(
        _ program: CompiledProgram, _ product: Product, _ inputGradient: InputGradient? = nil, operands: [BufferID?],
        targets: [BufferID], threads: Int
    ) {
        (self.program, self.product, self.operands, self.targets) = (program, product, operands, targets)
        self.inputGradient = inputGradient
        var description = product.description(operand: operands.firstIndex(of: nil) ?? 0)
        scratchByteCount = program.scratchByteCount(for: &description, threads: threads)
        isCompiled = program.isCompiled(on: &description)
        postponable = program.postponableOperand(on: &description).flatMap { operands[$0] }
    }

    func run(_ memory: RunMemory) {
        var description = product.description(operand: operands.firstIndex(of: nil) ?? 0)
        description.left = UnsafePointer(memory[product.left])
        description.right = UnsafePointer(memory[product.right])
        description.postponed = postponable.flatMap { memory.postponed[$0] }
        withPointers(to: operands, targets, memory) { sources, results in
            guard let inputGradient else {
                return program.run(sources, results, gradient: &description, ahead: productAhead(memory), memory)
            }
            // A gradient has as many examples as its input, and a row for each of the input's numbers.
            let rowProduct = graft_row_product(
                rows: Int64(product.examples), inner: Int64(columns), columns: Int64(inner),
                left: description.right, right: UnsafePointer(memory[inputGradient.kernel]),
                target: memory[inputGradient.target])
            withUnsafePointer(to: rowProduct) {
                description.input_gradient = $0
                program.run(sources, results, gradient: &description, ahead: productAhead(memory), memory)
            }
        }
    }

    /// Makes all rows of ``postponable`` as small as they would be without waiting.
    func catchUp(_ state: UnsafeMutablePointer<Float>?, _ counts: UnsafeMutablePointer<UInt8>?, threads: Int) {
        var description = product.description(operand: operands.firstIndex(of: nil) ?? 0)
        description.postponed = counts
        program.catchUp(&description, state, threads: threads)
    }

    /// The next run's product with what this step updates, where its input is known.
    private func productAhead(_ memory: RunMemory) -> graft_thin_product? {
        guard let ahead = memory.ahead, let next = ahead.next, targets.contains(ahead.lookahead.nextValue) else {
            return nil
        }
        return graft_thin_product(
            rows: Int64(ahead.lookahead.rows), inner: Int64(inner), columns: Int64(columns), left: next,
            right: memory[ahead.lookahead.nextValue], bias: nil, target: nil)
    }
}

extension GradientStep.Product {
    fileprivate func description(operand: Int) -> graft_gradient {
        var description = graft_gradient()
        description.examples = Int64(examples)
        description.rows = Int64(rows)
        description.columns = Int64(columns)
        description.operand = Int32(operand)
        return description
    }
}

/// Calls `body` with the memory of operands and targets, as the kernels take them.
func withPointers(
    to operands: [BufferID?], _ targets: [BufferID], _ memory: RunMemory,
    _ body: (
        UnsafeMutableBufferPointer<UnsafePointer<Float>?>, UnsafeMutableBufferPointer<UnsafeMutablePointer<Float>?>
    ) -> Void
) {
    withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: operands.count) { sources in
        withUnsafeTemporaryAllocation(of: UnsafeMutablePointer<Float>?.self, capacity: targets.count) { results in
            for (position, operand) in operands.enumerated() {
                sources.initializeElement(at: position, to: operand.map { UnsafePointer(memory[$0]) })
            }
            for (position, target) in targets.enumerated() {
                results.initializeElement(at: position, to: memory[target])
            }
            body(sources, results)
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

    /// The optimizer's rule that the program is, which then runs compiled rather than interpreted, with the same bits.
    let rule: String?

    /// Compiles a program for operands of these shapes, broadcast to `result`.
    ///
    /// - Parameter usesRules: whether to look for the rule that it is.
    init(_ program: JoinedProgram, result: Shape, usesRules: Bool = true) throws(GraftError) {
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
            constants: constants.baseAddress, operands: self.operands.baseAddress, outputs: outputs.baseAddress,
            rule: graft_rule_match())
        description.rule.rule = -1
        if usesRules { graft_find_rule(&description) }
        rule = graft_rule_name(&description).map { String(cString: $0) }
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
            operand.is_narrow = program.operandTypes[register] == .bfloat16 ? 1 : 0
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
        withUnsafePointer(to: description) {
            graft_run_program(
                $0, sources.baseAddress, targets.baseAddress, Int64(count), memory.scratch, Int32(memory.threads))
        }
    }

    func run(
        _ sources: UnsafeMutableBufferPointer<UnsafePointer<Float>?>,
        _ targets: UnsafeMutableBufferPointer<UnsafeMutablePointer<Float>?>, gradient: inout graft_gradient,
        ahead: graft_thin_product?, _ memory: RunMemory
    ) {
        withUnsafePointer(to: description) { program in
            func run(_ product: UnsafePointer<graft_thin_product>?) {
                graft_run_gradient_program(
                    program, &gradient, sources.baseAddress, targets.baseAddress, product, memory.ahead?.sums,
                    memory.scratch, Int32(memory.threads))
            }
            if let ahead { withUnsafePointer(to: ahead) { run($0) } } else { run(nil) }
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
        withUnsafePointer(to: description) {
            graft_run_convolution_gradient_program(
                $0, &gradient, sources.baseAddress, targets.baseAddress, memory.scratch, Int32(memory.threads))
        }
    }

    /// The operand that rows of zeros of this gradient only make smaller.
    func postponableOperand(on gradient: inout graft_gradient) -> Int? {
        let operand = withUnsafePointer(to: description) { graft_postponable_operand($0, &gradient) }
        return operand < 0 ? nil : Int(operand)
    }

    func catchUp(_ gradient: inout graft_gradient, _ state: UnsafeMutablePointer<Float>?, threads: Int) {
        withUnsafePointer(to: description) { graft_catch_up($0, &gradient, state, Int32(threads)) }
    }

    /// Whether it runs compiled on this gradient.
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
