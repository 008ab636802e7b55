/// Bytes of a protobuf message: fields by their numbers, in the order in which they are added.
///
/// Large fields are kept as they are until the message is written to a file, whichever message they lie in: weights are not
/// copied from message to message. Source: protobuf.dev/programming-guides/encoding.
public struct ProtobufWriter {
    /// What is complete, in order; what came last is in `tail`.
    private var parts: [[UInt8]] = []
    private var partsByteCount = 0
    private var tail: [UInt8] = []
    /// Smaller fields than this are copied into their message.
    private static let leastPart = 1 << 16

    /// The length of the message so far.
    public var byteCount: Int { partsByteCount + tail.count }

    /// The message so far.
    public var bytes: [UInt8] { Array(parts.joined()) + tail }

    /// An empty message.
    public init() {}

    /// A whole number; negative ones take ten bytes, as of `int64`.
    public mutating func add(_ field: Int, _ value: Int) {
        addVarint(UInt64(field) << 3)
        addVarint(UInt64(bitPattern: Int64(value)))
    }

    /// A 64-bit float.
    public mutating func add(_ field: Int, _ value: Double) {
        addVarint(UInt64(field) << 3 | 1)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { tail += $0 }
    }

    /// A text.
    public mutating func add(_ field: Int, _ value: String) { add(field, bytes: Array(value.utf8)) }

    /// A message inside of this one.
    public mutating func add(_ field: Int, _ message: ProtobufWriter) {
        begin(field, byteCount: message.byteCount)
        for part in message.parts { append(part) }
        append(message.tail)
    }

    /// Bytes of any kind.
    public mutating func add(_ field: Int, bytes value: [UInt8]) {
        begin(field, byteCount: value.count)
        append(value)
    }

    /// Whole numbers without a field's number before each.
    public mutating func add(_ field: Int, packed values: [Int]) {
        var inner = ProtobufWriter()
        for value in values { inner.addVarint(UInt64(bitPattern: Int64(value))) }
        add(field, inner)
    }

    /// Writes the message to a file that does not exist yet, or is empty.
    public func write(to path: String) throws(GraftError) {
        let file = try File(filling: path)
        for part in parts + [tail] {
            var failure: GraftError?
            part.withUnsafeBytes { bytes in
                do throws(GraftError) { try file.write(bytes) } catch { failure = error }
            }
            if let failure { throw failure }
        }
    }

    private mutating func begin(_ field: Int, byteCount: Int) {
        addVarint(UInt64(field) << 3 | 2)
        addVarint(UInt64(byteCount))
    }

    private mutating func append(_ value: [UInt8]) {
        guard value.count >= Self.leastPart else { return tail += value }
        parts += [tail, value]
        partsByteCount += tail.count + value.count
        tail = []
    }

    private mutating func addVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            tail.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        tail.append(UInt8(rest))
    }
}
