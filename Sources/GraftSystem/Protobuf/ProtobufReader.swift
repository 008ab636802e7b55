/// Reads the fields of a protobuf message from bytes that nobody vouches for.
///
/// A message inside of another one is a reader of the same bytes between other bounds: nothing is copied, and nothing is read
/// beyond the bounds. Who calls decides how deep messages may lie. Source: protobuf.dev/programming-guides/encoding.
public struct ProtobufReader {
    /// What a field holds.
    public enum FieldContent {
        /// A whole number, a truth value or an enumeration.
        case varint(UInt64)
        /// Eight bytes.
        case fixed64(UInt64)
        /// Four bytes.
        case fixed32(UInt32)
        /// A text, bytes, packed numbers or a message: where they are.
        case bytes(Range<Int>)
    }

    /// All bytes of the file.
    public let bytes: [UInt8]
    private var position: Int
    private let end: Int

    /// A reader of a whole file.
    public init(_ bytes: [UInt8]) { self.init(bytes, 0..<bytes.count) }

    /// A reader of a part.
    ///
    /// - Precondition: the part lies inside.
    public init(_ bytes: [UInt8], _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        (self.bytes, position, end) = (bytes, range.lowerBound, range.upperBound)
    }

    /// The next field; `nil` at the end.
    ///
    /// - Throws: ``GraftError`` with code `format` where a field is cut short or of no kind that there is.
    public mutating func next() throws(GraftError) -> (field: Int, value: FieldContent)? {
        guard position < end else { return nil }
        let start = position
        let key = try varint()
        let field = Int(key >> 3)
        guard key <= UInt64(UInt32.max), field > 0 else {
            throw damage("the field's number \(key >> 3) is none", start)
        }
        switch key & 7 {
        case 0: return (field, .varint(try varint()))
        case 1: return (field, .fixed64(try fixed(8)))
        case 2: return (field, .bytes(try range()))
        case 5: return (field, .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
        default: throw damage("a field of the kind \(key & 7), which there is not", start)
        }
    }

    /// A text.
    public func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// The numbers of a field that is repeated: packed, or one at a time.
    ///
    /// - Throws: as ``next()``.
    public func integers(_ value: FieldContent) throws(GraftError) -> [Int] {
        switch value {
        case .varint(let number): return [Self.integer(number)]
        case .bytes(let range):
            var numbers: [Int] = []
            var inner = ProtobufReader(bytes, range)
            while inner.position < inner.end { numbers.append(Self.integer(try inner.varint())) }
            return numbers
        case .fixed32, .fixed64: throw damage("numbers of a fixed size stand where whole numbers belong", position)
        }
    }

    /// The 32-bit floats of a field that is repeated: packed, or one at a time.
    ///
    /// - Throws: as ``next()``.
    public func floats(_ value: FieldContent) throws(GraftError) -> [Float] {
        switch value {
        case .fixed32(let bits): return [Float(bitPattern: bits)]
        case .bytes(let range):
            guard range.count.isMultiple(of: 4) else {
                throw damage("\(range.count) bytes of floats are no multiple of 4", range.lowerBound)
            }
            return bytes[range].withUnsafeBytes { buffer in
                (0..<buffer.count / 4).map {
                    Float(
                        bitPattern: UInt32(littleEndian: buffer.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
                }
            }
        case .varint, .fixed64: throw damage("a whole number stands where floats belong", position)
        }
    }

    /// A whole number of 64 bits with its sign.
    public static func integer(_ number: UInt64) -> Int { Int(Int64(bitPattern: number)) }

    private mutating func varint() throws(GraftError) -> UInt64 {
        let start = position
        var (result, shift) = (UInt64(0), UInt64(0))
        while position < end, shift < 70 {
            let byte = bytes[position]
            position += 1
            // Of the tenth byte one bit fits.
            guard shift < 63 || byte <= 1 else { break }
            result |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return result }
            shift += 7
        }
        throw damage(position < end ? "a number has more than 64 bits" : "it is cut short in a number", start)
    }

    private mutating func fixed(_ count: Int) throws(GraftError) -> UInt64 {
        guard count <= end - position else { throw damage("it is cut short in a number", position) }
        defer { position += count }
        return (0..<count).reduce(0) { $0 | UInt64(bytes[position + $1]) << UInt64(8 * $1) }
    }

    private mutating func range() throws(GraftError) -> Range<Int> {
        let start = position
        let count = try varint()
        guard count <= UInt64(end - position) else {
            throw damage("\(count) bytes should follow, and \(end - position) are left", start)
        }
        defer { position += Int(count) }
        return position..<position + Int(count)
    }

    private func damage(_ what: String, _ place: Int) -> GraftError {
        GraftError(.format, "damaged at byte \(place): \(what)")
    }
}
