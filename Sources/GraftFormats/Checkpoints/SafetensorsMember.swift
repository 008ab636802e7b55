import GraftModel

/// The arrays of a checkpoint by name, in the layout of safetensors files (see ``SafetensorsHeader``).
///
/// Arrays of bfloat16 (`BF16`) are after those of 32-bit numbers, so that each begins at a multiple of its elements' size.
enum SafetensorsMember {
    /// The bytes of these arrays, which are shared until they are read.
    static func stream(of tensors: [String: Tensor]) -> ByteStream {
        var (header, offset, numbers) = ([String: Configuration](), 0, [ByteStream.Segment]())
        let ordered = tensors.sorted {
            ($1.value.elementType.byteCount, $0.key) < ($0.value.elementType.byteCount, $1.key)
        }
        for (name, tensor) in ordered {
            let end = offset + tensor.byteCount
            header[name] = [
                "dtype": .string(tensor.elementType.safetensorsType.rawValue),
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

    /// The arrays of a slice, stored as they are there.
    ///
    /// - Throws: `.format` where it is not what ``stream(of:)`` makes.
    static func tensors(in slice: FileSlice) throws(GraftError) -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for entry in try SafetensorsHeader(of: slice).entries {
            guard let type = ElementType.allCases.first(where: { $0.safetensorsType == entry.type }) else {
                throw GraftError(
                    .format,
                    "\(slice.name): the array \(entry.name) is of \(entry.type.rawValue); checkpoints hold none")
            }
            tensors[entry.name] = try Tensor(uninitialized: entry.shape, as: type) { (bytes) throws(GraftError) in
                try slice.read(at: entry.offset, into: bytes)
            }
        }
        return tensors
    }
}

extension ElementType {
    /// The format's type for it.
    fileprivate var safetensorsType: SafetensorsType {
        switch self {
        case .float32: .float32
        case .bfloat16: .bfloat16
        case .int32: .int32
        }
    }
}
