internal import CKernels

/// The gradient of a convolution's kernel with the programs that update it: it is computed for eight input channels at a
/// time and never stands in memory.
///
/// Where the kernel was multiplied with a number for each output channel (folded normalization), so is its gradient.
struct ConvolutionGradientStep: Step {
    private let program: CompiledProgram
    private let geometry: ConvolutionGeometry
    private let input: BufferID
    private let outputGradient: BufferID
    private let scale: BufferID?
    /// `nil` for the gradient itself.
    private let operands: [BufferID?]
    private let targets: [BufferID]
    let scratchByteCount: Int

    var implementation: String { "graft:convolution gradient+\(program.rule ?? "update")" }

    init(
        _ program: CompiledProgram, _ geometry: ConvolutionGeometry, input: BufferID, outputGradient: BufferID,
        scale: BufferID?, operands: [BufferID?], targets: [BufferID], threads: Int
    ) {
        (self.program, self.operands, self.targets) = (program, operands, targets)
        (self.input, self.outputGradient, self.scale) = (input, outputGradient, scale)
        self.geometry = geometry
        scratchByteCount = program.scratchByteCount(
            for: geometry.gradient(operand: operands.firstIndex(of: nil) ?? 0), threads: threads)
    }

    /// Whether the kernel suits a convolution: small images, whose output's gradient stays in the second-level cache, and
    /// enough channels to fill vectors and to share the work. Measured against oneDNN's kernel gradients.
    static func suits(_ geometry: ConvolutionGeometry) -> Bool {
        let (rows, columns) = (geometry.kernel[2], geometry.kernel[3])
        let pixels = geometry.output.elementCount / columns
        return geometry.convolution.groups == 1 && rows >= 32 && columns >= 64 && pixels * columns <= 1 << 18
            && geometry.input.elementCount <= 1 << 20
    }

    func run(_ memory: RunMemory) {
        var description = geometry.gradient(operand: operands.firstIndex(of: nil) ?? 0)
        description.left = UnsafePointer(memory[input])
        description.right = UnsafePointer(memory[outputGradient])
        description.scale = scale.map { UnsafePointer(memory[$0]) }
        withPointers(to: operands, targets, memory) { sources, results in
            program.run(sources, results, gradient: description, memory)
        }
    }
}

extension ConvolutionGeometry {
    /// As the kernel takes it, without memory.
    fileprivate func gradient(operand: Int) -> graft_convolution_gradient {
        var gradient = graft_convolution_gradient()
        gradient.batch = Int64(input[0])
        (gradient.input_height, gradient.input_width) = (Int64(input[1]), Int64(input[2]))
        (gradient.output_height, gradient.output_width) = (Int64(output[1]), Int64(output[2]))
        (gradient.kernel_height, gradient.kernel_width) = (Int64(kernel[0]), Int64(kernel[1]))
        gradient.stride_height = Int64(convolution.strides.height)
        gradient.stride_width = Int64(convolution.strides.width)
        gradient.dilation_height = Int64(convolution.dilation.height)
        gradient.dilation_width = Int64(convolution.dilation.width)
        (gradient.padding_top, gradient.padding_left) = (
            Int64(convolution.padding.top), Int64(convolution.padding.left)
        )
        (gradient.rows, gradient.columns) = (Int64(kernel[2]), Int64(kernel[3]))
        gradient.operand = Int32(operand)
        return gradient
    }
}
