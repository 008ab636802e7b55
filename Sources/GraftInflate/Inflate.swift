internal import CZlib
import GraftSystem

/// Decompresses what zlib compressed, up to a limit: a few bytes can stand for gigabytes.
package enum Inflate {
    /// What surrounds the compressed stream.
    package enum Wrapper: Sendable {
        /// Nothing: RFC 1951, as DICOM's deflated transfer syntax has it.
        case none
        /// zlib's header and checksum: RFC 1950, as HDF5 and PNG have it.
        case zlib

        fileprivate var windowBits: Int32 {
            switch self {
            case .none: -MAX_WBITS
            case .zlib: MAX_WBITS
            }
        }
    }

    /// All that the bytes stand for.
    ///
    /// - Throws: `GraftError` with code `format` where they are damaged, end early, or stand for more than `limit` bytes.
    package static func inflate(
        _ bytes: ArraySlice<UInt8>, _ wrapper: Wrapper, limit: Int
    ) throws(GraftError) -> [UInt8] {
        guard bytes.count <= UInt32.max, limit >= 0 else {
            throw GraftError(.format, "\(bytes.count) compressed bytes are more than zlib takes at once")
        }
        let result = bytes.withUnsafeBytes { source in
            Result { () throws(GraftError) in try inflate(source, wrapper, limit: limit) }
        }
        return try result.get()
    }

    private static func inflate(
        _ source: UnsafeRawBufferPointer, _ wrapper: Wrapper, limit: Int
    ) throws(GraftError) -> [UInt8] {
        var stream = z_stream()
        guard graft_inflate_start(&stream, wrapper.windowBits) == Z_OK else {
            throw GraftError(.state, "zlib did not start; there may be no memory for it")
        }
        defer { inflateEnd(&stream) }
        // zlib reads them only.
        stream.next_in = UnsafeMutablePointer(mutating: source.bindMemory(to: UInt8.self).baseAddress)
        stream.avail_in = UInt32(source.count)
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        var whole: [UInt8] = []
        while true {
            let (status, made) = piece.withUnsafeMutableBufferPointer { piece in
                stream.next_out = piece.baseAddress
                stream.avail_out = UInt32(piece.count)
                let status = CZlib.inflate(&stream, Z_NO_FLUSH)
                return (status, piece.count - Int(stream.avail_out))
            }
            guard whole.count + made <= limit else {
                throw GraftError(
                    .format, "compressed data stands for more than the \(limit) bytes that are allowed for it")
            }
            whole += piece[..<made]
            switch status {
            case Z_STREAM_END: return whole
            case Z_OK where made > 0 || stream.avail_in > 0: continue
            case Z_OK, Z_BUF_ERROR: throw GraftError(.format, "compressed data ends early")
            default: throw GraftError(.format, "compressed data is damaged")
            }
        }
    }
}
