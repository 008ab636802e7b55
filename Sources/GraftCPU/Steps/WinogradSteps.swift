internal import CKernels

/// A convolution of stride 1 by Winograd's minimal filtering F(m, r), with its bias and a relu: a quarter of the multiplications
/// for a kernel of 3 × 3, and about a third for one of 5 × 5. It computes in float32 whatever it reads and writes.
struct WinogradStep: Step {
    let geometry: ConvolutionGeometry
    let activation: FusedActivation?
    /// With a kernel that a ``WinogradPackingStep`` wrote.
    let places: ConvolutionPlaces
    let threads: Int

    var implementation: String { "graft:winograd" }

    /// Whether it is faster for a convolution whose kernel is loop-invariant.
    ///
    /// Channels fill vectors; it multiplies at most half as often, tiles that reach beyond the image counted; and the transformed
    /// kernel, four times as large, is small enough to be read from a cache for each block of tiles. In bfloat16, which oneDNN
    /// multiplies twice as fast, a third of the multiplications in float32 gains nothing: a kernel of 5 × 5 with tiles of six.
    static func suits(_ geometry: ConvolutionGeometry, _ epilogue: Epilogue) -> Bool {
        let (convolution, kernel, output) = (geometry.convolution, geometry.kernel, geometry.output)
        guard graft_instruction_set_count() > 1, !epilogue.addend, [nil, .relu].contains(epilogue.activation),
            convolution.strides == Size2D(1), convolution.dilation == Size2D(1), convolution.groups == 1,
            kernel[0] == kernel[1], kernel[0] == 3 || kernel[0] == 5 && suitsLargeKernel(geometry),
            geometry.types.plain == .float32,
            kernel[2].isMultiple(of: 16), kernel[3].isMultiple(of: graft_winograd_panel),
            kernel[2] * kernel[3] <= 1 << 16
        else { return false }
        return 2 * multiplications(geometry, tileSize: tileSize(for: geometry))
            <= output[1] * output[2] * kernel[0] * kernel[1]
    }

    private static func suitsLargeKernel(_ geometry: ConvolutionGeometry) -> Bool {
        geometry.types.input == .float32 || tileSize(for: geometry) == 8
    }

    /// The input tile along an axis, m + r − 1: eight where that saves a tenth of the multiplications, and where the transformed
    /// kernel, ten megabytes at most, still fits a cache. In float32 always six: eight round five times as much, over ResNet50
    /// three times as much as Keras's own float32. Compared with bfloat16's rounding it is nothing.
    static func tileSize(for geometry: ConvolutionGeometry) -> Int {
        guard geometry.types.input == .bfloat16 else { return 6 }
        let isSmall = geometry.kernel[2] * geometry.kernel[3] <= 5 << 13
        let (six, eight) = (multiplications(geometry, tileSize: 6), multiplications(geometry, tileSize: 8))
        return isSmall && 10 * eight <= 9 * six ? 8 : 6
    }

    /// For each pair of channels of an image.
    private static func multiplications(_ geometry: ConvolutionGeometry, tileSize: Int) -> Int {
        let (tile, output) = (tileSize + 1 - geometry.kernel[0], geometry.output)
        return ((output[1] + tile - 1) / tile) * ((output[2] + tile - 1) / tile) * tileSize * tileSize
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
        graft_winograd(
            geometry: geometry.sizes, output_pixel_stride: Int64(places.pixelStride),
            tile_size: Int64(Self.tileSize(for: geometry)), input_is_bfloat16: geometry.types.input == .bfloat16,
            output_is_bfloat16: geometry.types.output == .bfloat16, relu: activation == .relu, input: nil, kernel: nil,
            bias: nil, output: nil)
    }
}

/// Transforms a kernel for Winograd's filtering, once for each binding.
struct WinogradPackingStep: Step {
    let geometry: ConvolutionGeometry
    let source: BufferID
    let target: BufferID

    var implementation: String { "graft:winograd" }

    func run(_ memory: RunMemory) {
        var sizes = geometry.sizes
        graft_pack_winograd_kernel(
            &sizes, Int64(WinogradStep.tileSize(for: geometry)), geometry.types.kernel == .bfloat16, memory[source],
            memory[target])
    }

    /// How many elements it writes.
    static func elementCount(_ geometry: ConvolutionGeometry) -> Int {
        var sizes = geometry.sizes
        return graft_winograd_kernel_size(&sizes, Int64(WinogradStep.tileSize(for: geometry)))
            / MemoryLayout<Float>.stride
    }
}
