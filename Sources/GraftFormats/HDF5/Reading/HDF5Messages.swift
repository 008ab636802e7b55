import GraftGraph

/// The sizes of an array's axes, `nil` for no array at all.
///
/// Source: "HDF5 File Format Specification Version 3.0", section IV.A.2.b.
struct HDF5Dataspace {
    let shape: Shape?

    init(_ bytes: HDF5Bytes) throws(GraftError) {
        var bytes = bytes
        let version = try bytes.byte()
        let rank = Int(try bytes.byte())
        guard version == 1 || version == 2, rank <= 32 else { throw bytes.unexpected("an array's shape") }
        try bytes.skip(1)
        if version == 1 { try bytes.skip(5) }
        if version == 2, try bytes.byte() == 2 {
            shape = nil
            return
        }
        var sizes: [Int] = []
        for _ in 0..<rank { sizes.append(try bytes.size(8)) }
        guard Shape(sizes).isValid else {
            throw GraftError(.format, "\(bytes.place): an array declares the impossible sizes \(sizes)")
        }
        shape = Shape(sizes)
    }
}

/// The format of an array's elements.
///
/// Source: section IV.A.2.d.
enum HDF5Datatype: Hashable {
    /// Floats of the IEEE formats of 16, 32 or 64 bits.
    case float(byteCount: Int, isBigEndian: Bool)
    case integer(byteCount: Int, isBigEndian: Bool, isSigned: Bool)
    /// Strings of so many bytes, padded.
    case fixedString(byteCount: Int)
    /// Strings in the file's heap: a length, an address and an index.
    case variableString
    /// Bytes without a meaning: Keras's bfloat16.
    case opaque(byteCount: Int)
    /// Anything else, by its class number.
    case other(Int, byteCount: Int)

    init(_ bytes: HDF5Bytes) throws(GraftError) {
        var bytes = bytes
        let classAndVersion = try bytes.byte()
        let flags = UInt32(truncatingIfNeeded: try bytes.number(3))
        let size = try bytes.size(4)
        let kind = Int(classAndVersion & 15)
        self = .other(kind, byteCount: size)
        switch kind {
        case 0 where [1, 2, 4, 8].contains(size): try readInteger(&bytes, size, flags)
        case 1 where flags & 0x40 == 0: try readFloat(&bytes, size, flags)
        case 3 where size > 0: self = .fixedString(byteCount: size)
        case 5: self = .opaque(byteCount: size)
        case 9 where flags & 15 == 1 && size == 16: self = .variableString
        default: break
        }
    }

    /// Integers that fill their bytes: bit offset 0, precision of all bits.
    private mutating func readInteger(_ bytes: inout HDF5Bytes, _ size: Int, _ flags: UInt32) throws(GraftError) {
        let layout = [try bytes.number(2), try bytes.number(2)]
        guard layout == [0, UInt64(8 * size)] else { return }
        self = .integer(byteCount: size, isBigEndian: flags & 1 != 0, isSigned: flags & 8 != 0)
    }

    /// The three IEEE formats: bit offset, precision; place and size of exponent and fraction; bias.
    private mutating func readFloat(_ bytes: inout HDF5Bytes, _ size: Int, _ flags: UInt32) throws(GraftError) {
        var layout: [UInt64] = []
        for width in [2, 2, 1, 1, 1, 1, 4] { layout.append(try bytes.number(width)) }
        guard flags >> 8 & 0xFF == UInt32(clamping: 8 * size - 1), Self.floats[size] == layout else { return }
        self = .float(byteCount: size, isBigEndian: flags & 1 != 0)
    }

    private static let floats: [Int: [UInt64]] = [
        2: [0, 16, 10, 5, 0, 10, 15], 4: [0, 32, 23, 8, 0, 23, 127], 8: [0, 64, 52, 11, 0, 52, 1023],
    ]

    var byteCount: Int {
        switch self {
        case .float(let count, _), .integer(let count, _, _), .fixedString(let count), .opaque(let count),
            .other(_, let count):
            count
        case .variableString: 16
        }
    }
}

/// Where an array's numbers lie.
///
/// Source: section IV.A.2.i. Chunks and virtual arrays are told apart but not read: Keras writes neither.
enum HDF5Layout {
    case compact(HDF5Bytes)
    case contiguous(address: UInt64, byteCount: UInt64)
    case chunked
    case virtual

    init(_ bytes: HDF5Bytes) throws(GraftError) {
        var bytes = bytes
        let version = try bytes.byte()
        guard version == 3 || version == 4 else {
            throw GraftError(.format, "\(bytes.place): version \(version) of the layout of arrays is not read")
        }
        switch try bytes.byte() {
        case 0: self = .compact(try bytes.piece(bytes.size(2)))
        case 1: self = .contiguous(address: try bytes.address(), byteCount: try bytes.number(8))
        case 2: self = .chunked
        case 3: self = .virtual
        default: throw bytes.unexpected("the layout of an array")
        }
    }
}

/// A member of a group: where it is, or that it is a link of another kind.
enum HDF5Link {
    case object(address: UInt64)
    case soft
    case external

    /// Reads a link message: name and target.
    ///
    /// Source: section IV.A.2.g.
    static func named(_ bytes: HDF5Bytes) throws(GraftError) -> (name: String, link: HDF5Link) {
        var bytes = bytes
        guard try bytes.byte() == 1 else { throw bytes.unexpected("a link") }
        let flags = try bytes.byte()
        let kind = flags & 8 != 0 ? try bytes.byte() : 0
        try bytes.skip((flags & 4 != 0 ? 8 : 0) + (flags & 16 != 0 ? 1 : 0))
        let name = try bytes.text(bytes.size(1 << Int(flags & 3)))
        switch kind {
        case 0: return (name, .object(address: try bytes.address()))
        case 1: return (name, .soft)
        default: return (name, .external)
        }
    }
}

extension HDF5Bytes {
    /// Text of so many bytes.
    mutating func text(_ count: Int) throws(GraftError) -> String {
        guard let text = String(validating: try take(count), as: UTF8.self) else { throw unexpected("a name") }
        return text
    }
}
