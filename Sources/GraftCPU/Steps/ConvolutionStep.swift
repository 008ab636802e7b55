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

    /// The bytes of a panel of its packed kernel, which is read for every few pixels.
    static func panelByteCount(_ geometry: ConvolutionGeometry) -> Int {
        var description = geometry.direct(nil)
        return graft_convolution_panel_size(&description)
    }

    func run(_ memory: RunMemory) {
        var description = geometry.direct(activation, pixelStride: places.pixelStride)
        description.input = UnsafePointer(memory[places.source])
        description.kernel = UnsafePointer(memory[places.kernel])
        description.bias = places.bias.map { UnsafePointer(memory[$0]) }
        description.output = memory[places.target]
        graft_run_convolution(&description, Int32(memory.threads))
    }
}

/// Prepacks the weights of a ``ConvolutionStep``, once for each binding.
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

    /// How many elements it writes.
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
            relu: activation == .relu, input: nil, kernel: nil, bias: nil, output: nil)
    }
}
