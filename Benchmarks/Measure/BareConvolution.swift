import CKernels
import COneDNN
import Foundation
import Graft

/// One convolution of oneDNN's with buffers of its own, its kernel packed.
final class BareConvolution {
    /// The name of oneDNN's implementation.
    let implementation: String
    private let engine: OpaquePointer
    private let stream: OpaquePointer
    private let primitive: OpaquePointer
    private let buffers: [UnsafeMutableRawPointer]

    init(_ shape: ConvolutionShape, isBfloat16: Bool) throws {
        engine = try Self.made { graft_dnn_engine_create(&$0) }
        let engine = engine
        stream = try Self.made { graft_dnn_stream_create(engine, &$0) }
        var description = shape.shim(isBfloat16: isBfloat16)
        var epilogue = graft_dnn_epilogue(bias: true, addend: false, activation: graft_dnn_relu)
        primitive = try Self.made { graft_dnn_convolution_create(engine, &description, &epilogue, &$0) }
        implementation = graft_dnn_implementation(primitive).map { String(cString: $0) } ?? ""
        // What fewer bytes would do for bfloat16 has the size of float32.
        let counts = [
            shape.input.elementCount, max(shape.kernel.elementCount, graft_dnn_packed_size(primitive) / 4),
            shape.output[3], shape.output.elementCount, graft_dnn_scratch_size(primitive) / 4 + 16,
        ]
        buffers = try counts.map { count in
            guard let memory = graft_allocate(count * 4) else {
                throw GraftError(.state, "there is no memory for \(count) numbers")
            }
            Self.fill(memory.bindMemory(to: UInt32.self, capacity: count), count)
            return memory
        }
    }

    deinit {
        for buffer in buffers { free(buffer) }
        graft_dnn_primitive_destroy(primitive)
        graft_dnn_stream_destroy(stream)
        graft_dnn_engine_destroy(engine)
    }

    /// Numbers of both signs between 1/8 and 1/2, whether they are read as one of 32 bits or as two of 16.
    private static func fill(_ words: UnsafeMutablePointer<UInt32>, _ count: Int) {
        var state: UInt64 = 1
        for index in 0..<count {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            words[index] = UInt32(truncatingIfNeeded: state >> 32) & 0x80FF_80FF | 0x3E00_3E00
        }
    }

    /// Runs it once.
    func run() throws {
        try Self.check(
            graft_dnn_execute(
                primitive, engine, stream, buffers[0], buffers[1], buffers[2], buffers[3], buffers[4]))
    }

    private static func made(_ create: (inout OpaquePointer?) -> graft_dnn_result) throws -> OpaquePointer {
        var handle: OpaquePointer?
        try check(create(&handle))
        guard let handle else { throw GraftError(.backend, "oneDNN made nothing") }
        return handle
    }

    private static func check(_ result: graft_dnn_result) throws {
        guard let function = result.function else { return }
        let status = graft_dnn_status_text(result.status).map { String(cString: $0) } ?? "unknown"
        throw GraftError(.backend, "\(String(cString: function)) of oneDNN answered \(status)")
    }
}

extension ConvolutionShape {
    /// What COneDNN is asked for.
    func shim(isBfloat16: Bool) -> graft_dnn_convolution {
        var shim = graft_dnn_convolution()
        let type = isBfloat16 ? graft_dnn_bfloat16 : graft_dnn_float32
        (shim.input_type, shim.kernel_type, shim.output_type, shim.plain_kernel_type) = (type, type, type, type)
        (shim.batch, shim.groups) = (Int64(input[0]), Int64(convolution.groups))
        (shim.input_height, shim.input_width, shim.input_channels) = (Int64(input[1]), Int64(input[2]), Int64(input[3]))
        (shim.output_height, shim.output_width) = (Int64(output[1]), Int64(output[2]))
        (shim.output_channels, shim.input_pixel_stride) = (Int64(output[3]), Int64(input[3]))
        (shim.output_pixel_stride, shim.kernel_height) = (Int64(output[3]), Int64(kernel[0]))
        (shim.kernel_width, shim.stride_height) = (Int64(kernel[1]), Int64(convolution.strides.height))
        (shim.stride_width, shim.dilation_height) = (
            Int64(convolution.strides.width), Int64(convolution.dilation.height)
        )
        (shim.dilation_width, shim.padding_top) = (Int64(convolution.dilation.width), Int64(convolution.padding.top))
        (shim.padding_bottom, shim.padding_left) = (Int64(convolution.padding.bottom), Int64(convolution.padding.left))
        shim.padding_right = Int64(convolution.padding.right)
        return shim
    }
}
