internal import CKernels

/// The gradient of a convolution's kernel, fused with its update: it is computed for eight input channels at a time and never
/// stored whole.
///
/// Where the kernel was multiplied by a scale for each output channel (folded normalization), so is its gradient.
struct ConvolutionGradientStep: Step {
    /// What the gradient is computed from.
    struct Factors: Sendable {
        let input: BufferID
        let outputGradient: BufferID
        let scale: BufferID?
    }

    private let program: CompiledProgram
    private let geometry: ConvolutionGeometry
    private let factors: Factors
    /// `nil` for the gradient itself.
    private let operands: [BufferID?]
    private let targets: [BufferID]
    let scratchByteCount: Int

    var implementation: String { "graft:convolution gradient+\(program.optimizer ?? "update")" }

    init(
        _ program: CompiledProgram, _ geometry: ConvolutionGeometry, _ factors: Factors, operands: [BufferID?],
        targets: [BufferID], threads: Int
    ) {
        (self.program, self.geometry, self.factors) = (program, geometry, factors)
        (self.operands, self.targets) = (operands, targets)
        scratchByteCount = program.scratchByteCount(
            for: geometry.gradient(operand: operands.firstIndex(of: nil) ?? 0), threads: threads)
    }

    func run(_ memory: RunMemory) {
        var description = geometry.gradient(operand: operands.firstIndex(of: nil) ?? 0)
        description.input = UnsafePointer(memory[factors.input])
        description.output_gradient = UnsafePointer(memory[factors.outputGradient])
        description.scale = factors.scale.map { UnsafePointer(memory[$0]) }
        withPointers(to: operands, targets, memory) { sources, results in
            program.run(sources, results, gradient: description, memory)
        }
    }
}

extension ConvolutionGeometry {
    /// As the kernel takes it, without memory.
    fileprivate func gradient(operand: Int) -> graft_convolution_gradient {
        graft_convolution_gradient(
            geometry: sizes, input: nil, output_gradient: nil, scale: nil, operand: Int32(operand))
    }
}
