internal import COneDNN

/// One compiled operation of oneDNN. Sendable because primitives never change and may be executed by many threads.
final class Primitive: @unchecked Sendable {
    /// What was asked for, for messages.
    let request: String
    /// Bytes of scratch memory that an execution needs.
    let scratchByteCount: Int
    /// Bytes of the kernel in the primitive's layout; 0 where that is the plain one.
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

    /// Whether it is one of oneDNN's batch-reduce GEMM convolutions, its fastest ones.
    var isBatchReduceGEMM: Bool { implementation.hasPrefix("brg") }

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

// MARK: - Operations

extension Primitive {
    /// `activation(convolution(source, weights) + bias + target)`
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

    /// `activation(source · weights + bias + target)`
    ///
    /// - Parameter batch: how many such products of matrices that lie one after the other.
    static func matrixProduct(
        _ engine: Engine, batch: Int = 1, rows: Int, inner: Int, columns: Int, _ product: MatrixProduct
    ) throws(GraftError) -> Primitive {
        var description = graft_dnn_matrix_product(
            type: graft_dnn_float32, batch: Int64(batch), rows: Int64(rows), inner: Int64(inner),
            columns: Int64(columns), transpose_left: product.transposeLeft, transpose_right: product.transposeRight)
        var epilogue = product.epilogue.description
        let count = batch > 1 ? "\(batch) matrix products" : "a matrix product"
        return try Primitive(engine, "\(count) of \(rows)×\(inner) with \(inner)×\(columns)") {
            graft_dnn_matrix_product_create(engine.handle, &description, &epilogue, $0)
        }
    }

    /// Reorders a kernel from the plain layout into this primitive's, or a kernel's gradient back.
    func packing() throws(GraftError) -> Primitive {
        try Primitive(engine, "packing for \(request)") {
            graft_dnn_packing_create(self.engine.handle, self.handle, $0)
        }
    }
}

extension ElementType {
    var shim: graft_dnn_type { self == .bfloat16 ? graft_dnn_bfloat16 : graft_dnn_float32 }
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
