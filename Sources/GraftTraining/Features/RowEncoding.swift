/// How a row's numbers stand in a file.
///
/// Most of what a relu gives is +0.0. A masked row has a bit for each element, set where the element is something else, and
/// the values of those alone. Where the lower 16 bits of all values are zero, as those of a trunk that computed in
/// bfloat16 are, each value takes 16 bits. Every row comes back bit for bit, -0.0 and the payloads of NaN included.
///
/// - float32, bfloat16: the values of all elements.
/// - maskedFloat32, maskedBFloat16: the mask as 64-bit words, the first element in the lowest bit of the first word, the
///   bits behind the last element zero; then the values of the elements whose bits are set.
enum RowEncoding: UInt64, CaseIterable, Sendable {
    case float32 = 0
    case bfloat16 = 1
    case maskedFloat32 = 2
    case maskedBFloat16 = 3

    var isMasked: Bool { self == .maskedFloat32 || self == .maskedBFloat16 }
    var isNarrow: Bool { self == .bfloat16 || self == .maskedBFloat16 }
    var valueByteCount: Int { isNarrow ? 2 : 4 }

    static func maskWordCount(_ elementCount: Int) -> Int { (elementCount + 63) / 64 }
    static func maskByteCount(_ elementCount: Int) -> Int { 8 * maskWordCount(elementCount) }

    /// The bytes of a row with so many elements of which so many are not +0.0.
    func byteCount(elementCount: Int, valueCount: Int) -> Int {
        isMasked
            ? Self.maskByteCount(elementCount) + valueCount * valueByteCount : elementCount * valueByteCount
    }

    /// How many values a row with so many elements has in so many bytes, or `nil` where none has that size.
    func valueCount(byteCount: Int, elementCount: Int) -> Int? {
        let maskByteCount = isMasked ? Self.maskByteCount(elementCount) : 0
        let (count, rest) = (byteCount - maskByteCount).quotientAndRemainder(dividingBy: valueByteCount)
        guard byteCount >= maskByteCount, rest == 0 else { return nil }
        return (isMasked ? count <= elementCount : count == elementCount) ? count : nil
    }

    /// The encoding that takes the fewest bytes, of two that take as many the one without a mask.
    static func smallest(elementCount: Int, valueCount: Int, isNarrow: Bool) -> RowEncoding {
        let (plain, masked): (Self, Self) = isNarrow ? (.bfloat16, .maskedBFloat16) : (.float32, .maskedFloat32)
        let size = masked.byteCount(elementCount: elementCount, valueCount: valueCount)
        return size < plain.byteCount(elementCount: elementCount, valueCount: valueCount) ? masked : plain
    }
}
