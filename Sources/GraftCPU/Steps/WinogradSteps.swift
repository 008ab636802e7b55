internal import CKernels

/// A convolution of stride 1 by Winograd's minimal filtering, with its bias and a relu: a quarter of the multiplications for a
/// kernel of 3 × 3, and about a third for one of 5 × 5. It computes in 32 bits whatever it reads and writes.
struct WinogradStep: Step {
    let geometry: ConvolutionGeometry
    let activation: FusedActivation?
    /// With a kernel that a ``WinogradPackingStep`` wrote.
    let places: ConvolutionPlaces
    let threads: Int

    var implementation: String { "graft:winograd" }

    /// Whether it is the faster way for a convolution whose kernel never changes.
    ///
    /// Channels fill vectors; it multiplies at most half as often, tiles that reach beyond the image counted; and the kernel,
    /// four times as large at its points, is small enough to come from a cache for each block of tiles. Where oneDNN
    /// multiplies bfloat16, twice as fast, a third of the multiplications in 32 bits gain nothing: a kernel of 5 × 5.
    static func suits(_ geometry: ConvolutionGeometry, _ epilogue: Epilogue) -> Bool {
        let (convolution, kernel, output) = (geometry.convolution, geometry.kernel, geometry.output)
        guard graft_instruction_set_count() > 1, !epilogue.addend, [nil, .relu].contains(epilogue.activation),
            convolution.strides == Size2D(1), convolution.dilation == Size2D(1), convolution.groups == 1,
            kernel[0] == kernel[1], kernel[0] == 3 || kernel[0] == 5 && suitsLargeKernel(geometry),
            geometry.types.plain == .float32,
            kernel[2].isMultiple(of: 16), kernel[3].isMultiple(of: graft_winograd_panel),
            kernel[2] * kernel[3] <= 1 << 16
        else { return false }
        return 2 * multiplications(geometry, points: points(for: geometry))
            <= output[1] * output[2] * kernel[0] * kernel[1]
    }

    private static func suitsLargeKernel(_ geometry: ConvolutionGeometry) -> Bool {
        geometry.types.input == .float32 || points(for: geometry) == 8
    }

    /// The points along an axis: eight where a tenth of the multiplications is saved, and where the kernel at its points, ten
    /// megabytes at most, still comes from a cache. In 32 bits always six: eight round five times as much, which adds up to
    /// three times the rounding of Keras's own float32 over ResNet50; beside bfloat16's rounding it is nothing.
    static func points(for geometry: ConvolutionGeometry) -> Int {
        guard geometry.types.input == .bfloat16 else { return 6 }
        let isSmall = geometry.kernel[2] * geometry.kernel[3] <= 5 << 13
        let (six, eight) = (multiplications(geometry, points: 6), multiplications(geometry, points: 8))
        return isSmall && 10 * eight <= 9 * six ? 8 : 6
    }

    /// For each pair of channels of an image.
    private static func multiplications(_ geometry: ConvolutionGeometry, points: Int) -> Int {
        let (tile, output) = (points + 1 - geometry.kernel[0], geometry.output)
        return ((output[1] + tile - 1) / tile) * ((output[2] + tile - 1) / tile) * points * points
    }

    var scratchByteCount: Int {
        var description = description
        return graft_winograd_scratch_size(&description, Int32(threads))
    }

    func run(_ memory: RunMemory) {
        var description = description
        description.input = UnsafeRawPointer(memory[places.source])
        description.kernel = UnsafePointer(memory[places.kernel])
        description.bias = places.bias.map { UnsafePointer(memory[$0]) }
        description.output = UnsafeMutableRawPointer(memory[places.target])
        graft_run_winograd(&description, memory.scratch, Int32(memory.threads))
    }

    private var description: graft_winograd {
        let (input, output, padding) = (geometry.input, geometry.output, geometry.convolution.padding)
        return graft_winograd(
            batch: Int64(input[0]), input_height: Int64(input[1]), input_width: Int64(input[2]),
            input_channels: Int64(input[3]), output_height: Int64(output[1]), output_width: Int64(output[2]),
            output_channels: Int64(output[3]), output_pixel_stride: Int64(places.pixelStride),
            kernel_size: Int64(geometry.kernel[0]),
            points: Int64(Self.points(for: geometry)), padding_top: Int64(padding.top),
            padding_left: Int64(padding.left), input_is_narrow: geometry.types.input == .bfloat16,
            output_is_narrow: geometry.types.output == .bfloat16, relu: activation == .relu, input: nil, kernel: nil,
            bias: nil, output: nil)
    }
}

/// Brings a kernel to the points of Winograd's filtering, once for each binding.
struct WinogradPackingStep: Step {
    let kernelShape: Shape
    /// Along both axes.
    let points: Int
    /// Whether its numbers are rounded to bfloat16 first.
    let isNarrow: Bool
    let source: BufferID
    let target: BufferID

    var implementation: String { "graft:winograd" }

    func run(_ memory: RunMemory) {
        graft_pack_winograd_kernel(
            memory[source], Int64(kernelShape[0]), Int64(points), Int64(kernelShape[2]), Int64(kernelShape[3]),
            isNarrow, memory[target])
    }

    /// How many numbers it writes.
    static func elementCount(_ kernelShape: Shape, points: Int) -> Int {
        graft_winograd_kernel_size(Int64(points), Int64(kernelShape[2]), Int64(kernelShape[3]))
            / MemoryLayout<Float>.stride
    }
}
