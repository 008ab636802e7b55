internal import COneDNN

/// One compiled operation of oneDNN. Sendable because primitives never change and may be executed by many threads.
final class Primitive: @unchecked Sendable {
    /// What was asked for, for messages.
    let request: String
    /// Bytes of scratch memory that an execution needs.
    let scratchByteCount: Int
    /// Bytes of the kernel in the layout that the primitive wants; 0 where that is the plain one.
    let packedByteCount: Int
    /// The name of oneDNN's implementation.
    let implementation: String
    private let handle: OpaquePointer
    private let engine: Engine

    private init(
        _ engine: Engine, _ request: String, create: (UnsafeMutablePointer<OpaquePointer?>) -> graft_dnn_result
    ) throws(GraftError) {
        var handle: OpaquePointer?
        try check(create(&handle), request)
        guard let handle else { throw GraftError(.backend, "oneDNN gave no primitive for \(request)") }
        (self.handle, self.engine, self.request) = (handle, engine, request)
        scratchByteCount = graft_dnn_scratch_size(handle)
        packedByteCount = graft_dnn_packed_size(handle)
        implementation = graft_dnn_implementation(handle).map { String(cString: $0) } ?? ""
    }

    deinit { graft_dnn_primitive_destroy(handle) }

    /// Whether it is oneDNN's reference code, a thousand times slower than the rest.
    var isReference: Bool { implementation.contains("ref") }

    /// Whether it is one of oneDNN's convolutions by batched products, its fastest ones.
    var isByBatchedProducts: Bool { implementation.hasPrefix("brg") }

    /// Runs it; returns when it is done. `source`, `weights`, `bias` and `target` are as in the shim's header.
    func execute(
        on stream: Stream, source: UnsafeRawPointer, weights: UnsafeRawPointer? = nil, bias: UnsafeRawPointer? = nil,
        target: UnsafeMutableRawPointer, scratch: UnsafeMutableRawPointer
    ) throws(GraftError) {
        let scratch = scratchByteCount > 0 ? scratch : nil
        try check(
            graft_dnn_execute(handle, engine.handle, stream.handle, source, weights, bias, target, scratch), request)
    }
}

// MARK: - What there is

extension Primitive {
    /// `activation(convolution(source, weights) + bias + what target holds)`
    static func convolution(
        _ engine: Engine, _ geometry: ConvolutionGeometry, _ epilogue: Epilogue
    ) throws(GraftError) -> Primitive {
        var description = geometry.shim
        var epilogue = epilogue.description
        return try Primitive(engine, "a convolution of \(geometry)") {
            graft_dnn_convolution_create(engine.handle, &description, &epilogue, $0)
        }
    }

    /// The gradient with respect to the input: source is the output's gradient.
    static func inputGradient(_ engine: Engine, _ geometry: ConvolutionGeometry) throws(GraftError) -> Primitive {
        var description = geometry.shim
        return try Primitive(engine, "the input gradient of a convolution of \(geometry)") {
            graft_dnn_convolution_input_gradient_create(engine.handle, &description, $0)
        }
    }

    /// The gradient with respect to the kernel: weights is the output's gradient.
    ///
    /// - Parameter kernelPixelStride: the elements from one input channel to the next in the plain gradient, more than the
    ///   output's channels where it is a slice of a wider one.
    static func kernelGradient(
        _ engine: Engine, _ geometry: ConvolutionGeometry, kernelPixelStride: Int? = nil
    ) throws(GraftError) -> Primitive {
        var description = geometry.shim
        if let kernelPixelStride { description.kernel_pixel_stride = Int64(kernelPixelStride) }
        return try Primitive(engine, "the kernel gradient of a convolution of \(geometry)") {
            graft_dnn_convolution_kernel_gradient_create(engine.handle, &description, $0)
        }
    }

    /// `activation(source · weights + bias + what target holds)`
    static func matrixProduct(
        _ engine: Engine, rows: Int, inner: Int, columns: Int, transposeLeft: Bool, transposeRight: Bool,
        _ epilogue: Epilogue
    ) throws(GraftError) -> Primitive {
        var description = graft_dnn_matrix_product(
            type: graft_dnn_float32, rows: Int64(rows), inner: Int64(inner), columns: Int64(columns),
            transpose_left: transposeLeft, transpose_right: transposeRight)
        var epilogue = epilogue.description
        return try Primitive(engine, "a matrix product of \(rows)×\(inner) with \(inner)×\(columns)") {
            graft_dnn_matrix_product_create(engine.handle, &description, &epilogue, $0)
        }
    }

    /// Brings a kernel from the plain layout into the one that this primitive wants, or a kernel's gradient back.
    func packing() throws(GraftError) -> Primitive {
        try Primitive(engine, "packing for \(request)") {
            graft_dnn_packing_create(self.engine.handle, self.handle, $0)
        }
    }
}

/// A convolution with all its sizes.
struct ConvolutionGeometry: CustomStringConvertible {
    let convolution: Convolution
    let input: Shape
    let kernel: Shape
    let output: Shape
    var types = ConvolutionTypes()

    /// Whether some output is computed from padding alone.
    var hasEmptyWindows: Bool {
        let (strides, dilation, padding) = (convolution.strides, convolution.dilation, convolution.padding)
        return Self.hasEmptyWindows(
            output[1], strides.height, dilation.height, kernel[0], before: padding.top, size: input[1])
            || Self.hasEmptyWindows(
                output[2], strides.width, dilation.width, kernel[1], before: padding.left, size: input[2])
    }

    private static func hasEmptyWindows(
        _ count: Int, _ stride: Int, _ dilation: Int, _ kernel: Int, before: Int, size: Int
    ) -> Bool {
        (0..<count).contains { window in
            !(0..<kernel).contains { (0..<size).contains(window * stride - before + $0 * dilation) }
        }
    }

    /// The convolution of the output's gradient that gives the input's: over an output padded until all of its windows are
    /// whole, with the kernel turned and its channels exchanged. There is none in larger steps than one, or where more is
    /// padded than a window reaches.
    var turned: ConvolutionGeometry? {
        let (dilation, padding) = (convolution.dilation, convolution.padding)
        let (rows, columns) = (dilation.height * (kernel[0] - 1), dilation.width * (kernel[1] - 1))
        let rest = EdgePadding(
            top: rows - padding.top, bottom: rows - padding.bottom, left: columns - padding.left,
            right: columns - padding.right)
        // A kernel of one pixel gains nothing.
        guard convolution.groups == 1, convolution.strides == Size2D(1), types.plain == .float32,
            kernel[0] * kernel[1] > 1, min(rest.top, rest.bottom, rest.left, rest.right) >= 0
        else { return nil }
        return ConvolutionGeometry(
            convolution: Convolution(dilation: dilation, padding: rest), input: output,
            kernel: [kernel[0], kernel[1], kernel[3], kernel[2]], output: input,
            types: ConvolutionTypes(input: types.output, kernel: types.kernel, output: types.input, plain: types.plain))
    }

    /// Whether oneDNN's older, direct code is the faster one: in bfloat16, where the kernel is a row or a column that covers
    /// much padding, which that code leaves out; where it reads three channels; and for 1 × 1 with many channels.
    /// `Documentation/CPU.md` has the measurements.
    private var prefersDirectCode: Bool {
        guard types.input == .bfloat16, types.kernel == .bfloat16, convolution.groups == 1 else { return false }
        if kernel[0] == 1 && kernel[1] == 1 { return convolution.strides == Size2D(1) && kernel[2] >= 512 }
        return kernel[2] < 16 || (kernel[0] == 1 || kernel[1] == 1) && coversMuchPadding
    }

    /// Whether at least a fifth of what the kernel covers at all its places is padding.
    var coversMuchPadding: Bool { shareOfImage < 0.8 }

    /// How much of what the kernel covers at all its places belongs to the image, and not to the padding.
    private var shareOfImage: Double {
        let (strides, dilation, padding) = (convolution.strides, convolution.dilation, convolution.padding)
        let rows = Self.coveredCount(
            output[1], strides.height, dilation.height, kernel[0], before: padding.top, size: input[1])
        let columns = Self.coveredCount(
            output[2], strides.width, dilation.width, kernel[1], before: padding.left, size: input[2])
        return Double(rows * columns) / Double(output[1] * output[2] * kernel[0] * kernel[1])
    }

    private static func coveredCount(
        _ count: Int, _ stride: Int, _ dilation: Int, _ kernel: Int, before: Int, size: Int
    ) -> Int {
        (0..<count).reduce(0) { sum, window in
            sum + (0..<kernel).count { (0..<size).contains(window * stride - before + $0 * dilation) }
        }
    }

    var shim: graft_dnn_convolution {
        graft_dnn_convolution(
            choice: prefersDirectCode ? graft_dnn_direct_choice : graft_dnn_first_choice, input_type: types.input.shim,
            kernel_type: types.kernel.shim, output_type: types.output.shim,
            plain_kernel_type: types.plain.shim, batch: Int64(input[0]), groups: Int64(convolution.groups),
            input_height: Int64(input[1]), input_width: Int64(input[2]), input_channels: Int64(input[3]),
            output_height: Int64(output[1]), output_width: Int64(output[2]), output_channels: Int64(output[3]),
            kernel_height: Int64(kernel[0]), kernel_width: Int64(kernel[1]),
            stride_height: Int64(convolution.strides.height), stride_width: Int64(convolution.strides.width),
            dilation_height: Int64(convolution.dilation.height), dilation_width: Int64(convolution.dilation.width),
            padding_top: Int64(convolution.padding.top), padding_bottom: Int64(convolution.padding.bottom),
            padding_left: Int64(convolution.padding.left), padding_right: Int64(convolution.padding.right),
            input_pixel_stride: Int64(input[3]), output_pixel_stride: Int64(output[3]),
            kernel_pixel_stride: Int64(kernel[3]))
    }

    var description: String {
        "\(types.input.rawValue) input \(input), kernel \(kernel), output \(output), strides \(convolution.strides), "
            + "dilation \(convolution.dilation), \(convolution.groups) groups"
    }
}

extension ElementType {
    fileprivate var shim: graft_dnn_type { self == .bfloat16 ? graft_dnn_bfloat16 : graft_dnn_float32 }
}

extension Epilogue {
    fileprivate var description: graft_dnn_epilogue {
        let activation: graft_dnn_activation =
            switch activation {
            case nil: graft_dnn_no_activation
            case .relu: graft_dnn_relu
            case .relu6: graft_dnn_relu6
            case .sigmoid: graft_dnn_sigmoid
            case .tanh: graft_dnn_tanh
            }
        return graft_dnn_epilogue(bias: bias, addend: addend, activation: activation)
    }
}
