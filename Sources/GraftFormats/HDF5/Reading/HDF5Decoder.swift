/// Turns stored elements into numbers.
struct HDF5Decoder {
    private let type: HDF5Datatype
    private let isBigEndian: Bool

    init(_ type: HDF5Datatype) {
        self.type = type
        switch type {
        case .float(_, let isBigEndian), .integer(_, let isBigEndian, _): self.isBigEndian = isBigEndian
        default: isBigEndian = false
        }
    }

    /// The bits of one element.
    func bits(_ bytes: [UInt8], _ index: Int) -> UInt64 {
        let start = index * type.byteCount
        let element = bytes[start..<start + type.byteCount]
        return isBigEndian
            ? element.reduce(0) { $0 << 8 | UInt64($1) } : element.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    func float(_ bits: UInt64) -> Float {
        switch type {
        case .float(byteCount: 2, _): Float(half: UInt16(truncatingIfNeeded: bits))
        case .float(byteCount: 4, _): Float(bitPattern: UInt32(truncatingIfNeeded: bits))
        case .float: Float(Double(bitPattern: bits))
        case .opaque: Float(bitPattern: UInt32(truncatingIfNeeded: bits) << 16)
        case .integer(byteCount: 8, _, isSigned: false): Float(bits)
        default: Float(integer(bits))
        }
    }

    /// The integer, its sign extended; unsigned ones beyond `Int64` become its largest.
    func integer(_ bits: UInt64) -> Int64 {
        guard case .integer(let byteCount, _, let isSigned) = type else { return 0 }
        let unused = UInt64(64 - 8 * byteCount)
        return isSigned ? Int64(bitPattern: bits << unused) >> Int64(unused) : Int64(clamping: bits)
    }
}
