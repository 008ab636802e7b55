internal import CKernels

/// The buffers of a convolution by Graft's own kernels.
struct ConvolutionPlaces: Sendable {
    let source: BufferID
    /// The kernel, packed.
    let kernel: BufferID
    let bias: BufferID?
    let target: BufferID
    /// The elements from pixel to pixel of the target: more than its channels where it is a slice of a wider array.
    let pixelStride: Int
}

/// A direct convolution of any kernel size and stride by Graft's own kernel, with its bias and a relu. Its output pixels may be
/// further apart than their channels, and it skips padding.
struct ConvolutionStep: Step {
    let geometry: ConvolutionGeometry
    let activation: FusedActivation?
    /// With a kernel that a ``ConvolutionPackingStep`` wrote.
    let places: ConvolutionPlaces

    var implementation: String { "graft:convolution" }

    /// Whether it suits a convolution whose kernel is loop-invariant: where the result is a slice of a concatenation, which oneDNN
    /// cannot write; and in float32 where windows are much padding, which oneDNN multiplies. The part of the kernel inside of the
    /// image varies from pixel to pixel: a few images have too few pixels that share one.
    ///
    /// - Parameter isSlice: whether the result is such a slice.
    static func suits(_ geometry: ConvolutionGeometry, _ epilogue: Epilogue, isSlice: Bool) -> Bool {
        let types = geometry.types
        let isBFloat16 = types.input == .bfloat16
        let isWorthIt =
            geometry.coversMuchPadding ? (isSlice || !isBFloat16) && geometry.input[0] >= 4 : isSlice
        guard isWorthIt, graft_convolution_is_fast(isBFloat16), geometry.convolution.groups == 1, !epilogue.addend,
            [nil, .relu].contains(epilogue.activation), types.plain == .float32, types.kernel == types.input,
            !isBFloat16 || geometry.kernel[2].isMultiple(of: 2)
        else { return false }
        // A panel of the kernel is read for every few pixels: it has to fit the second-level cache.
        var description = geometry.direct(epilogue.activation)
        return graft_convolution_panel_size(&description) <= 1 << 19
    }

    func run(_ memory: RunMemory) {
        var description = geometry.direct(activation, pixelStride: places.pixelStride)
        description.input = UnsafeRawPointer(memory[places.source])
        description.kernel = UnsafeRawPointer(memory[places.kernel])
        description.bias = places.bias.map { UnsafePointer(memory[$0]) }
        description.output = UnsafeMutableRawPointer(memory[places.target])
        graft_run_convolution(&description, Int32(memory.threads))
    }
}

/// Prepacks the weights of a ``ConvolutionStep``, once for each binding, rounded to bfloat16 if that multiplies it.
struct ConvolutionPackingStep: Step {
    private let geometry: ConvolutionGeometry
    private let source: BufferID
    private let target: BufferID

    var implementation: String { "graft:convolution" }

    init(_ geometry: ConvolutionGeometry, source: BufferID, target: BufferID) {
        (self.geometry, self.source, self.target) = (geometry, source, target)
    }

    func run(_ memory: RunMemory) {
        var description = geometry.direct(nil)
        graft_pack_convolution_kernel(&description, memory[source], memory[target])
    }

    /// How many 32-bit words it writes.
    static func elementCount(_ geometry: ConvolutionGeometry) -> Int {
        var description = geometry.direct(nil)
        return graft_convolution_kernel_size(&description) / MemoryLayout<Float>.stride
    }
}

extension ConvolutionGeometry {
    /// As the kernel takes it, without memory.
    fileprivate func direct(_ activation: FusedActivation?, pixelStride: Int? = nil) -> graft_convolution {
        graft_convolution(
            geometry: sizes, output_pixel_stride: Int64(pixelStride ?? output[3]),
            is_bfloat16: types.input == .bfloat16, output_is_bfloat16: types.output == .bfloat16,
            relu: activation == .relu, input: nil, kernel: nil, bias: nil, output: nil)
    }
}
