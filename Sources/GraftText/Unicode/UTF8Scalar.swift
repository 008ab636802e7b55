/// A character of UTF-8, where it stands.
struct UTF8Scalar {
    let value: UInt32
    /// How many bytes it has.
    let count: Int

    /// The character at a place. What is no UTF-8 reads as U+FFFD of one byte; the texts here are UTF-8 from the start.
    @inline(__always)
    init(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int) {
        let first = bytes[position]
        if first < 0x80 {
            (value, count) = (UInt32(first), 1)
            return
        }
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        guard first >= 0xC2, first < 0xF5, position + length <= bytes.count else {
            (value, count) = (0xFFFD, 1)
            return
        }
        var code = UInt32(first) & (0x7F >> UInt32(length))
        for place in 1..<length { code = code << 6 | UInt32(bytes[position + place] & 0x3F) }
        (value, count) = (code, length)
    }

    /// The character at a place of a list.
    @inline(__always)
    init(_ bytes: [UInt8], at position: Int) {
        self = bytes.withUnsafeBufferPointer { UTF8Scalar($0, at: position) }
    }
}

extension [UInt8] {
    /// Adds a character.
    @inline(__always)
    mutating func append(scalar: UInt32) {
        switch scalar {
        case 0..<0x80:
            append(UInt8(truncatingIfNeeded: scalar))
        case 0x80..<0x800:
            append(UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6))
            append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        case 0x800..<0x1_0000:
            append(UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12))
            append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
            append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        default:
            append(UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18))
            append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 12 & 0x3F))
            append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
            append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        }
    }

    /// The characters of UTF-8.
    var scalars: [UInt32] {
        var (result, position): ([UInt32], Int) = ([], 0)
        withUnsafeBufferPointer { bytes in
            while position < bytes.count {
                let scalar = UTF8Scalar(bytes, at: position)
                result.append(scalar.value)
                position += scalar.count
            }
        }
        return result
    }
}
