import GraftModel

/// Arrays by name as one piece of bytes, in the layout of safetensors files: eight bytes that say how long the header is,
/// the header as JSON, then the numbers of the arrays one behind the other.
///
///     {"slot/12/0": {"dtype": "F32", "shape": [37632, 1024], "data_offsets": [0, 154140672]}, …}
///
/// Arrays of bfloat16 (`BF16`) stand behind those of 32-bit floats, so that each begins at a multiple of its elements' size.
///
/// Untrusted: sizes are compared with one another and with what is there before anything is allocated.
///
/// Source: huggingface/safetensors, README.md, "Format".
enum SafetensorsMember {
    /// A run with ten thousand arrays has about a megabyte of header; the format itself allows 100 MB.
    static let headerLimit = 100_000_000

    /// The bytes of these arrays, which are shared until they are read.
    static func stream(of tensors: [String: Tensor]) -> ByteStream {
        var (header, offset, numbers) = ([String: Configuration](), 0, [ByteStream.Segment]())
        let ordered = tensors.sorted {
            ($1.value.elementType.byteCount, $0.key) < ($0.value.elementType.byteCount, $1.key)
        }
        for (name, tensor) in ordered {
            let end = offset + tensor.byteCount
            header[name] = [
                "dtype": .string(tensor.elementType.safetensorsName),
                "shape": .array(tensor.shape.dimensions.map { .int($0) }),
                "data_offsets": [.int(offset), .int(end)],
            ]
            numbers.append(.stored(tensor))
            offset = end
        }
        var text = Configuration.object(header).json()
        // So that the numbers begin at a multiple of eight bytes.
        text += [UInt8](repeating: 0x20, count: (8 - text.count % 8) % 8)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
        return ByteStream([.bytes(length + text)] + numbers)
    }

    /// The arrays of a slice.
    ///
    /// - Throws: `.format` where it is not what ``stream(of:)`` makes.
    static func tensors(in slice: FileSlice) throws(GraftError) -> [String: Tensor] {
        let start = try slice.head(8)
        let length = start.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard start.count == 8, length <= UInt64(headerLimit), length <= slice.byteCount - 8 else {
            throw GraftError(.format, "\(slice.name) declares a header of \(length) bytes and has \(slice.byteCount)")
        }
        let text = Array(try slice.head(8 + Int(length)).dropFirst(8))
        let header = try Configuration(json: text)
        var tensors: [String: Tensor] = [:]
        for (name, entry) in header.members ?? [:] where name != "__metadata__" {
            let place = try place(of: name, entry, byteCount: slice.byteCount - 8 - length, slice.name)
            tensors[name] = try Tensor(uninitialized: place.shape, as: place.type) { (bytes) throws(GraftError) in
                try slice.read(at: 8 + length + place.offset, into: bytes)
            }
        }
        return tensors
    }

    private static func place(
        of name: String, _ entry: Configuration, byteCount: UInt64, _ file: String
    ) throws(GraftError) -> (shape: Shape, type: ElementType, offset: UInt64) {
        let type = ElementType.allCases.first { $0.safetensorsName == entry["dtype"]?.text }
        let sizes = (entry["shape"]?.elements ?? [nil]).map(\.integer)
        let offsets = (entry["data_offsets"]?.elements ?? []).compactMap(\.integer)
        let shape = Shape(sizes.compactMap(\.self))
        guard let type, !sizes.contains(nil), shape.isValid, offsets.count == 2, offsets[0] >= 0,
            offsets[1] >= offsets[0], UInt64(offsets[1]) <= byteCount,
            offsets[1] - offsets[0] == type.byteCount * shape.elementCount
        else { throw GraftError(.format, "\(file): the array \(name) is declared as \(entry.jsonText())") }
        return (shape, type, UInt64(offsets[0]))
    }
}

extension ElementType {
    /// The format's name for it.
    fileprivate var safetensorsName: String {
        switch self {
        case .float32: "F32"
        case .bfloat16: "BF16"
        }
    }
}
