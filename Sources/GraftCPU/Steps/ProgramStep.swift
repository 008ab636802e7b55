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

    /// `activation(buffer + addend)`, in place; `nil` where there is nothing to do.
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

/// The gradient of a dense layer's kernel, fused with its update: the gradient is computed tile by tile and never stored whole.
struct GradientStep: Step {
    /// `leftᵀ · right`
    struct Product: Sendable {
        let left: BufferID
        let right: BufferID
        let examples: Int
        let rows: Int
        let columns: Int
        /// Whether the rows of `left` may be read bitmap-compressed.
        var isBitmap: Bool
        /// Whether products with zeros are not skipped.
        let multipliesZeros: Bool
    }

    /// The gradient of the layer's input, `right · kernelᵀ`, which the step computes as well, since it reads the kernel.
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
    /// Whether a fused optimizer kernel runs it, so that the next batch's product can overlap it.
    let isCompiled: Bool
    /// The state that a zero gradient only decays, so that its rows can be lazy; see ``LazyRows``.
    let lazyState: BufferID?

    /// The gradient's rows: the inner axis of a product with what it updates.
    var inner: Int { product.rows }
    var columns: Int { product.columns }
    var computesInputGradient: Bool { inputGradient != nil }
    var implementation: String {
        "graft:gradient+\(inputGradient == nil ? "" : "row product+")\(program.optimizer ?? "update")"
    }

    init(
        _ program: CompiledProgram, _ product: Product, _ inputGradient: InputGradient? = nil, operands: [BufferID?],
        targets: [BufferID], threads: Int
    ) {
        (self.program, self.operands, self.targets) = (program, operands, targets)
        self.inputGradient = inputGradient
        var product = product
        product.isBitmap =
            product.isBitmap && inputGradient == nil && product.right != product.left
            && !operands.contains(product.left)
            && Self.isCompiled(program, product, operands: operands)
        self.product = product
        var description = product.description(operand: operands.firstIndex(of: nil) ?? 0)
        scratchByteCount = program.scratchByteCount(for: &description, threads: threads)
        isCompiled = program.isCompiled(on: &description)
        lazyState = program.lazyOperand(on: &description).flatMap { operands[$0] }
    }

    private static func isCompiled(_ program: CompiledProgram, _ product: Product, operands: [BufferID?]) -> Bool {
        var description = product.description(operand: operands.firstIndex(of: nil) ?? 0)
        return program.isCompiled(on: &description)
    }

    func readsBitmap(_ buffer: BufferID) -> Bool { product.isBitmap && product.left == buffer }

    func run(_ memory: RunMemory) {
        var description = product.description(operand: operands.firstIndex(of: nil) ?? 0)
        if product.isBitmap, let packed = memory.bitmaps[product.left] {
            description.bitmap_left = packed
        } else {
            description.left = UnsafePointer(memory[product.left])
        }
        description.right = UnsafePointer(memory[product.right])
        description.lazy = lazyState.flatMap { memory.lazy[$0] }
        withPointers(to: operands, targets, memory) { sources, results in
            guard let inputGradient else {
                return program.run(sources, results, gradient: &description, next: nextBatch(memory), memory)
            }
            // A gradient has as many examples as its input, and a row for each of the input's elements.
            let product = graft_skinny_nt(
                rows: Int64(product.examples), inner: Int64(columns), columns: Int64(inner),
                left: description.right, right: UnsafePointer(memory[inputGradient.kernel]),
                target: memory[inputGradient.target])
            withUnsafePointer(to: product) {
                description.input_gradient = $0
                program.run(sources, results, gradient: &description, next: nextBatch(memory), memory)
            }
        }
    }

    /// Takes the deferred steps of all rows of ``lazyState``.
    func catchUp(
        _ state: UnsafeMutablePointer<Float>?, _ lazy: UnsafeMutablePointer<graft_lazy_rows>, threads: Int
    ) {
        var description = product.description(operand: operands.firstIndex(of: nil) ?? 0)
        description.lazy = lazy
        program.catchUp(&description, state, threads: threads)
    }

    /// The next batch's product with what this step updates, where it is known.
    private func nextBatch(_ memory: RunMemory) -> graft_next_batch? {
        guard let run = memory.nextBatch, let next = run.next, targets.contains(run.overlap.nextValue) else {
            return nil
        }
        var product = graft_skinny_nn()
        (product.rows, product.inner, product.columns) = (Int64(run.overlap.rows), Int64(inner), Int64(columns))
        if run.overlap.isBitmap, let packed = next.bitmap?.description {
            product.bitmap_left = packed
        } else {
            product.left = next.dense.flatMap { UnsafePointer($0.address) }
        }
        product.right = UnsafePointer(memory[run.overlap.nextValue])
        return graft_next_batch(product: product, sums: run.sums)
    }
}

extension GradientStep.Product {
    fileprivate func description(operand: Int) -> graft_gradient {
        var description = graft_gradient()
        description.examples = Int64(examples)
        description.rows = Int64(rows)
        description.columns = Int64(columns)
        description.left_is_bitmap = isBitmap
        description.operand = Int32(operand)
        description.multiplies_zeros = multipliesZeros
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
