/// The types of tensors that the server takes (Open Inference Protocol, "Tensor Data Types").
enum TensorType: String, CaseIterable {
    case fp32 = "FP32"
    case fp64 = "FP64"
    case uint8 = "UINT8"
    case int32 = "INT32"
    case int64 = "INT64"
    /// Images as files; each with its length in four bytes, little-endian, before it.
    case bytes = "BYTES"

    /// Bytes of an element; `nil` where each has its own length.
    var byteCount: Int? {
        switch self {
        case .fp32, .int32: 4
        case .fp64, .int64: 8
        case .uint8: 1
        case .bytes: nil
        }
    }

    init(named name: String) throws(Refusal) {
        guard let type = TensorType(rawValue: name) else {
            throw .badRequest(
                "datatype: got '\(name)', needs one of " + Self.allCases.map(\.rawValue).joined(separator: ", "))
        }
        self = type
    }

    /// Numbers of little-endian bytes.
    ///
    /// - Precondition: the bytes are whole elements, and this is no ``bytes``.
    func floats(_ bytes: ArraySlice<UInt8>) -> [Float] {
        bytes.withUnsafeBytes { raw in
            switch self {
            case .fp32: Self.load(raw) { Float(bitPattern: UInt32(littleEndian: $0)) }
            case .fp64: Self.load(raw) { Float(Double(bitPattern: UInt64(littleEndian: $0))) }
            case .int32: Self.load(raw) { Float(Int32(littleEndian: $0)) }
            case .int64: Self.load(raw) { Float(Int64(littleEndian: $0)) }
            case .uint8, .bytes: raw.map { Float($0) }
            }
        }
    }

    private static func load<Element: FixedWidthInteger>(
        _ raw: UnsafeRawBufferPointer, _ number: (Element) -> Float
    ) -> [Float] {
        let size = MemoryLayout<Element>.size
        return (0..<(raw.count / size)).map { number(raw.loadUnaligned(fromByteOffset: $0 * size, as: Element.self)) }
    }

    /// The elements of a tensor of ``bytes``.
    ///
    /// - Throws: 400 where lengths and bytes do not fit, or there are not as many.
    static func texts(_ bytes: ArraySlice<UInt8>, count: Int) throws(Refusal) -> [[UInt8]] {
        var rest = bytes
        var texts: [[UInt8]] = []
        for number in 0..<count {
            guard rest.count >= 4 else {
                throw .badRequest("element \(number) of \(count) is missing in the binary tensor")
            }
            let length = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard length <= rest.count else {
                throw .badRequest("element \(number) has \(length) bytes by its length, and \(rest.count) are left")
            }
            texts.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        guard rest.isEmpty else {
            throw .badRequest("\(rest.count) bytes are left behind the \(count) elements of the shape")
        }
        return texts
    }
}
