/// What the elements of an array in a safetensors file are.
///
/// Source: huggingface/safetensors, safetensors/src/tensor.rs, `Dtype`.
public enum SafetensorsType: String, Hashable, Sendable, CaseIterable {
    /// A truth value in a byte.
    case bool = "BOOL"
    /// Unsigned, 8 bits.
    case uint8 = "U8"
    /// Signed, 8 bits.
    case int8 = "I8"
    /// A float of 8 bits, 5 of them exponent.
    case float8e5m2 = "F8_E5M2"
    /// A float of 8 bits, 4 of them exponent.
    case float8e4m3 = "F8_E4M3"
    /// Signed, 16 bits.
    case int16 = "I16"
    /// Unsigned, 16 bits.
    case uint16 = "U16"
    /// IEEE 754's 16-bit float.
    case float16 = "F16"
    /// The upper half of a 32-bit float.
    case bfloat16 = "BF16"
    /// Signed, 32 bits.
    case int32 = "I32"
    /// Unsigned, 32 bits.
    case uint32 = "U32"
    /// IEEE 754's 32-bit float.
    case float32 = "F32"
    /// IEEE 754's 64-bit float.
    case float64 = "F64"
    /// Signed, 64 bits.
    case int64 = "I64"
    /// Unsigned, 64 bits.
    case uint64 = "U64"

    /// The bytes of one element.
    public var byteCount: Int {
        switch self {
        case .bool, .uint8, .int8, .float8e5m2, .float8e4m3: 1
        case .int16, .uint16, .float16, .bfloat16: 2
        case .int32, .uint32, .float32: 4
        case .float64, .int64, .uint64: 8
        }
    }

    /// Whether Graft reads elements of this type as numbers.
    public var isReadable: Bool {
        switch self {
        case .bool, .float8e5m2, .float8e4m3: false
        default: true
        }
    }

    /// Turns little-endian elements into 32-bit floats, rounded to the nearest where those are coarser.
    ///
    /// - Precondition: the type is readable, and the bytes are those of as many elements as there are places.
    func decode(_ bytes: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>) {
        precondition(bytes.count == values.count * byteCount, "\(bytes.count) bytes for \(values.count) of \(rawValue)")
        switch self {
        case .float32: each(bytes, values) { (bits: UInt32) in Float(bitPattern: bits) }
        case .float16: each(bytes, values) { (bits: UInt16) in Float(half: bits) }
        case .bfloat16: each(bytes, values) { (bits: UInt16) in Float(bitPattern: UInt32(bits) << 16) }
        case .float64: each(bytes, values) { (bits: UInt64) in Float(Double(bitPattern: bits)) }
        case .uint8: each(bytes, values) { (number: UInt8) in Float(number) }
        case .int8: each(bytes, values) { (number: Int8) in Float(number) }
        case .uint16: each(bytes, values) { (number: UInt16) in Float(number) }
        case .int16: each(bytes, values) { (number: Int16) in Float(number) }
        case .uint32: each(bytes, values) { (number: UInt32) in Float(number) }
        case .int32: each(bytes, values) { (number: Int32) in Float(number) }
        case .uint64: each(bytes, values) { (number: UInt64) in Float(number) }
        case .int64: each(bytes, values) { (number: Int64) in Float(number) }
        case .bool, .float8e5m2, .float8e4m3: preconditionFailure("\(rawValue) is not read as numbers")
        }
    }

    private func each<Stored: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, _ values: UnsafeMutableBufferPointer<Float>, _ value: (Stored) -> Float
    ) {
        for index in 0..<values.count {
            let stored = bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Stored>.size, as: Stored.self)
            values[index] = value(Stored(littleEndian: stored))
        }
    }
}

extension Float {
    /// The number that 16 bits of IEEE 754's half precision say: 1 bit of sign, 5 of exponent, 10 of fraction.
    /// (Swift's `Float16` is not on every Mac.)
    init(half bits: UInt16) {
        let sign: Float = bits & 0x8000 == 0 ? 1 : -1
        let exponent = UInt32(bits >> 10 & 0x1F)
        let fraction = UInt32(bits & 0x3FF)
        switch exponent {
        case 0: self = sign * Float(fraction) * 0x1p-24
        case 31: self = fraction == 0 ? sign * .infinity : .nan
        default: self = sign * Float(bitPattern: (exponent + 112) << 23 | fraction << 13)
        }
    }
}
