internal import CKernels

/// A convolution of stride 1 by Winograd's minimal filtering F(m, r), with its bias and a relu: a quarter of the multiplications
/// for a kernel of 3 × 3, and about a third for one of 5 × 5. It computes in float32 whatever it reads and writes.
struct WinogradStep: Step {
    /// The output channels that its kernel is packed by.
    static let panel = Int(graft_winograd_panel)

    let geometry: ConvolutionGeometry
    /// The input tile along an axis, m + r − 1: six or eight.
    let tileSize: Int
    let activation: FusedActivation?
    /// With a kernel that a ``WinogradPackingStep`` wrote.
    let places: ConvolutionPlaces
    let threads: Int

    var implementation: String { "graft:winograd" }

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
            tile_size: Int64(tileSize), input_is_bfloat16: geometry.types.input == .bfloat16,
            output_is_bfloat16: geometry.types.output == .bfloat16, relu: activation == .relu, input: nil, kernel: nil,
            bias: nil, output: nil)
    }
}

/// Transforms a kernel for Winograd's filtering, once for each binding.
struct WinogradPackingStep: Step {
    let geometry: ConvolutionGeometry
    let tileSize: Int
    let source: BufferID
    let target: BufferID

    var implementation: String { "graft:winograd" }

    func run(_ memory: RunMemory) {
        var sizes = geometry.sizes
        graft_pack_winograd_kernel(
            &sizes, Int64(tileSize), geometry.types.kernel == .bfloat16, memory[source],
            memory[target])
    }

    /// How many elements it writes.
    static func elementCount(_ geometry: ConvolutionGeometry, tileSize: Int) -> Int {
        var sizes = geometry.sizes
        return graft_winograd_kernel_size(&sizes, Int64(tileSize)) / MemoryLayout<Float>.stride
    }
}
