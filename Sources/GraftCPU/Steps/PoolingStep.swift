internal import CKernels

/// Pooling and its gradients.
struct PoolingStep: Step {
    enum Kind: Sendable {
        case maximum
        /// With a relu after it, or not.
        case average(relu: Bool)
        /// With the pooled input.
        case maximumGradient(BufferID)
        case averageGradient
    }

    private let kind: Kind
    private var pooling: graft_pooling
    private let source: BufferID
    private let target: BufferID

    /// `shapes` are those of the forward pass; a gradient's `source` has that of the output, and is float32.
    init(
        _ kind: Kind, _ window: Window, _ shapes: (input: Shape, output: Shape), type: ElementType = .float32,
        source: BufferID, target: BufferID
    ) {
        let (input, output) = shapes
        (self.kind, self.source, self.target) = (kind, source, target)
        pooling = graft_pooling(
            batch: Int64(input[0]), channels: Int64(input[3]), input_height: Int64(input[1]),
            input_width: Int64(input[2]), output_height: Int64(output[1]), output_width: Int64(output[2]),
            window_height: Int64(window.size.height), window_width: Int64(window.size.width),
            stride_height: Int64(window.strides.height), stride_width: Int64(window.strides.width),
            padding_top: Int64(window.padding.top), padding_left: Int64(window.padding.left),
            output_pixel_stride: Int64(output[3]), is_bfloat16: type == .bfloat16, relu: kind.hasRelu)
    }

    /// The same pooling into a slice of a wider array: the elements from pixel to pixel of the target.
    func writing(pixelStride: Int?) -> PoolingStep {
        var step = self
        if let pixelStride { step.pooling.output_pixel_stride = Int64(pixelStride) }
        return step
    }

    var implementation: String { kind.hasRelu ? "graft:pooling+relu" : "graft:pooling" }

    func run(_ memory: RunMemory) {
        var pooling = pooling
        let (source, target, threads) = (memory[source], memory[target], Int32(memory.threads))
        switch kind {
        case .maximum: graft_maximum_pooling(&pooling, source, target, threads)
        case .average: graft_average_pooling(&pooling, source, target, threads)
        case .maximumGradient(let input):
            graft_maximum_pooling_gradient(&pooling, memory[input], source, target, threads)
        case .averageGradient: graft_average_pooling_gradient(&pooling, source, target, threads)
        }
    }
}

extension PoolingStep.Kind {
    fileprivate var hasRelu: Bool { if case .average(relu: true) = self { true } else { false } }
}
