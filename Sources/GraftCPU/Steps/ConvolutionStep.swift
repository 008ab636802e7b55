internal import CKernels

/// What a convolution by Graft's own kernels reads, and where it writes.
struct ConvolutionPlaces: Sendable {
    let source: BufferID
    /// The kernel, packed.
    let kernel: BufferID
    let bias: BufferID?
    let target: BufferID
    /// The elements from pixel to pixel of the target: more than its channels where it is a slice of a wider array.
    let pixelStride: Int
}

/// A convolution of any kernel size and stride by Graft's own kernel, with its bias and a relu. It writes pixels that may be
/// further apart than their channels, and leaves out what lies in the padding.
struct ConvolutionStep: Step {
    let geometry: ConvolutionGeometry
    let activation: FusedActivation?
    /// With a kernel that a ``ConvolutionPackingStep`` wrote.
    let places: ConvolutionPlaces

    var implementation: String { "graft:convolution" }

    /// Whether it is the way for a convolution whose kernel never changes: where the result belongs into a slice of a
    /// concatenation's, which oneDNN cannot write; and in 32 bits where much of what the kernel covers is padding, which
    /// oneDNN multiplies. What padding leaves of the kernel is different from pixel to pixel: a few images have too few that
    /// see the same.
    ///
    /// - Parameter isSlice: whether the result belongs into a slice.
    static func suits(_ geometry: ConvolutionGeometry, _ epilogue: Epilogue, isSlice: Bool) -> Bool {
        let types = geometry.types
        let isNarrow = types.input == .bfloat16
        let isWorthIt =
            geometry.coversMuchPadding ? (isSlice || !isNarrow) && geometry.input[0] >= 4 : isSlice
        guard isWorthIt, graft_convolution_is_fast(isNarrow), geometry.convolution.groups == 1, !epilogue.addend,
            [nil, .relu].contains(epilogue.activation), types.plain == .float32, types.kernel == types.input,
            !isNarrow || geometry.kernel[2].isMultiple(of: 2)
        else { return false }
        // A panel of the kernel is read for every few pixels: it has to come from the second-level cache.
        var description = geometry.description(ofGraft: epilogue.activation)
        return graft_convolution_panel_size(&description) <= 1 << 19
    }

    func run(_ memory: RunMemory) {
        var description = geometry.description(ofGraft: activation, pixelStride: places.pixelStride)
        description.input = UnsafeRawPointer(memory[places.source])
        description.kernel = UnsafeRawPointer(memory[places.kernel])
        description.bias = places.bias.map { UnsafePointer(memory[$0]) }
        description.output = UnsafeMutableRawPointer(memory[places.target])
        graft_run_convolution(&description, Int32(memory.threads))
    }
}

/// Packs a kernel for a ``ConvolutionStep``, once for each binding, rounded to bfloat16 where that multiplies it.
struct ConvolutionPackingStep: Step {
    private let geometry: ConvolutionGeometry
    private let source: BufferID
    private let target: BufferID

    var implementation: String { "graft:convolution" }

    init(_ geometry: ConvolutionGeometry, source: BufferID, target: BufferID) {
        (self.geometry, self.source, self.target) = (geometry, source, target)
    }

    func run(_ memory: RunMemory) {
        var description = geometry.description(ofGraft: nil)
        graft_pack_convolution_kernel(&description, memory[source], memory[target])
    }

    /// How many numbers of 32 bits it writes.
    static func elementCount(_ geometry: ConvolutionGeometry) -> Int {
        var description = geometry.description(ofGraft: nil)
        return graft_convolution_kernel_size(&description) / MemoryLayout<Float>.stride
    }
}

extension ConvolutionGeometry {
    /// What CKernels is asked for.
    fileprivate func description(
        ofGraft activation: FusedActivation?, pixelStride: Int? = nil
    ) -> graft_convolution {
        graft_convolution(
            batch: Int64(input[0]), input_height: Int64(input[1]), input_width: Int64(input[2]),
            input_channels: Int64(input[3]), output_height: Int64(output[1]), output_width: Int64(output[2]),
            output_channels: Int64(output[3]), output_pixel_stride: Int64(pixelStride ?? output[3]),
            kernel_height: Int64(kernel[0]), kernel_width: Int64(kernel[1]),
            stride_height: Int64(convolution.strides.height), stride_width: Int64(convolution.strides.width),
            dilation_height: Int64(convolution.dilation.height), dilation_width: Int64(convolution.dilation.width),
            padding_top: Int64(convolution.padding.top), padding_left: Int64(convolution.padding.left),
            is_narrow: types.input == .bfloat16, output_is_narrow: types.output == .bfloat16,
            relu: activation == .relu, input: nil, kernel: nil, bias: nil, output: nil)
    }
}
