/// Bytes of a protobuf message: fields by their numbers, in the order in which they are added.
///
/// Source: protobuf.dev/programming-guides/encoding.
package struct ProtobufWriter {
    /// The message so far.
    package private(set) var bytes: [UInt8] = []

    /// An empty message.
    package init() {}

    /// A whole number; negative ones take ten bytes, as of `int64`.
    package mutating func add(_ field: Int, _ value: Int) {
        addVarint(UInt64(field) << 3)
        addVarint(UInt64(bitPattern: Int64(value)))
    }

    /// A 32-bit float.
    package mutating func add(_ field: Int, _ value: Float) {
        addVarint(UInt64(field) << 3 | 5)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
    }

    /// A text.
    package mutating func add(_ field: Int, _ value: String) { add(field, bytes: Array(value.utf8)) }

    /// A message inside of this one.
    package mutating func add(_ field: Int, _ message: ProtobufWriter) { add(field, bytes: message.bytes) }

    /// Bytes of any kind.
    package mutating func add(_ field: Int, bytes value: [UInt8]) {
        addVarint(UInt64(field) << 3 | 2)
        addVarint(UInt64(value.count))
        bytes += value
    }

    /// Whole numbers without a field's number before each.
    package mutating func add(_ field: Int, packed values: [Int]) {
        var inner = ProtobufWriter()
        for value in values { inner.addVarint(UInt64(bitPattern: Int64(value))) }
        add(field, inner)
    }

    /// 32-bit floats without a field's number before each.
    package mutating func add(_ field: Int, packed values: [Float]) {
        var inner: [UInt8] = []
        inner.reserveCapacity(4 * values.count)
        for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { inner += $0 } }
        add(field, bytes: inner)
    }

    private mutating func addVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
