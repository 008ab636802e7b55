/// A protocol buffer message as it is written: fields by number.
///
/// Source: protobuf.dev/programming-guides/encoding.
struct ProtobufMessage {
    private(set) var bytes: [UInt8] = []

    private enum WireType: UInt64 {
        case varint = 0
        case fixed64 = 1
        case delimited = 2
    }

    /// A field of type `int64`, `uint64`, `bool` or an enumeration.
    mutating func add(_ field: UInt64, _ value: Int) {
        tag(field, .varint)
        varint(UInt64(bitPattern: Int64(value)))
    }

    /// A field of type `double`.
    mutating func add(_ field: UInt64, _ value: Double) {
        tag(field, .fixed64)
        bytes += value.bitPattern.littleEndianBytes
    }

    /// A field of type `string`.
    mutating func add(_ field: UInt64, _ value: String) { add(field, Array(value.utf8)) }

    /// A field of type `bytes`, or packed numbers.
    mutating func add(_ field: UInt64, _ value: [UInt8]) {
        tag(field, .delimited)
        varint(UInt64(value.count))
        bytes += value
    }

    /// A field that is a message.
    mutating func add(_ field: UInt64, _ message: ProtobufMessage) { add(field, message.bytes) }

    private mutating func tag(_ field: UInt64, _ type: WireType) { varint(field << 3 | type.rawValue) }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

extension FixedWidthInteger {
    /// The number's bytes, the lowest first.
    var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}
