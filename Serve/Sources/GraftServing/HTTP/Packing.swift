import CServeZlib

/// `Content-Encoding`: gzip, or deflate, which is zlib's format (RFC 9110, section 8.4.1).
enum Packing: String {
    case gzip
    case deflate

    /// What a header says; `nil` for none.
    ///
    /// - Throws: 415 for another encoding.
    init?(of header: String?) throws(Refusal) {
        guard let header, header.lowercased() != "identity" else { return nil }
        switch header.lowercased() {
        case "gzip", "x-gzip": self = .gzip
        case "deflate": self = .deflate
        default:
            throw Refusal(
                .unsupportedMediaType, "Content-Encoding: got '\(header)', needs gzip, deflate or nothing")
        }
    }

    /// What a client takes, gzip first; `nil` where it takes neither.
    init?(accepted header: String?) {
        let names = (header ?? "").lowercased().split(separator: ",").compactMap { entry -> String? in
            let parts = entry.split(separator: ";").map { $0.filter { $0 != " " } }
            guard let name = parts.first, !parts.dropFirst().contains(where: { $0 == "q=0" || $0 == "q=0.0" }) else {
                return nil
            }
            return name
        }
        guard let found = [Packing.gzip, .deflate].first(where: { names.contains($0.rawValue) }) else { return nil }
        self = found
    }

    private var windowBits: Int32 { self == .gzip ? 31 : 15 }

    /// - Throws: 400 where the bytes are damaged, 413 where they unpack to more than the limit.
    func unpack(_ bytes: some Collection<UInt8>, limit: Int) throws(Refusal) -> [UInt8] {
        var stream = z_stream()
        guard graft_serve_inflate_init(&stream, windowBits) == Z_OK else { throw Self.noMemory }
        defer { inflateEnd(&stream) }
        var input = Array(bytes)
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        let result = input.withUnsafeMutableBufferPointer { source -> Result<Void, Refusal> in
            stream.next_in = source.baseAddress
            stream.avail_in = UInt32(clamping: source.count)
            while true {
                let status = chunk.withUnsafeMutableBufferPointer { target in
                    stream.next_out = target.baseAddress
                    stream.avail_out = UInt32(target.count)
                    return inflate(&stream, Z_NO_FLUSH)
                }
                output += chunk.prefix(chunk.count - Int(stream.avail_out))
                guard output.count <= limit else { return .failure(.tooLarge(nil, limit: limit)) }
                if status == Z_STREAM_END { return .success(()) }
                guard status == Z_OK, stream.avail_in > 0 || stream.avail_out == 0 else {
                    return .failure(
                        .badRequest("the body is not whole \(rawValue) data, which its Content-Encoding says"))
                }
            }
        }
        try result.get()
        return output
    }

    /// - Throws: 500 where there is no memory.
    func pack(_ bytes: [UInt8]) throws(Refusal) -> [UInt8] {
        var stream = z_stream()
        // The fastest level: a response should leave soon.
        guard graft_serve_deflate_init(&stream, 1, windowBits) == Z_OK else { throw Self.noMemory }
        defer { deflateEnd(&stream) }
        var input = bytes
        var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))) + 32)
        let status = input.withUnsafeMutableBufferPointer { source in
            output.withUnsafeMutableBufferPointer { target in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(clamping: source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(clamping: target.count)
                return CServeZlib.deflate(&stream, Z_FINISH)
            }
        }
        guard status == Z_STREAM_END else { throw Self.noMemory }
        return Array(output.prefix(output.count - Int(stream.avail_out)))
    }

    private static let noMemory = Refusal(.internalServerError, "there is no memory to pack or unpack")
}
