import GraftGraph

/// How a row's numbers are in a file.
///
/// Most of what a relu gives is +0.0. A masked row, one of ``BitmapRows``, has a bit for each element, set where the element is something else, and
/// the values of those alone. Every row comes back bit for bit, -0.0 and the payloads of NaN included.
///
/// - dense: all elements, as little-endian float32.
/// - masked: the mask as little-endian 64-bit words, the first element in the lowest bit of the first word, the bits after
///   the last element zero; then the elements whose bits are set, as little-endian float32.
enum RowEncoding: UInt64, CaseIterable, Sendable {
    case dense = 0
    case masked = 1

    static func maskByteCount(_ elementCount: Int) -> Int { 8 * BitmapRows.wordCount(elementCount) }

    /// The bytes of a row with so many elements of which so many are not +0.0.
    func byteCount(elementCount: Int, valueCount: Int) -> Int {
        self == .masked ? Self.maskByteCount(elementCount) + 4 * valueCount : 4 * elementCount
    }

    /// How many values a row with so many elements has in so many bytes, or `nil` where none has that size.
    func valueCount(byteCount: Int, elementCount: Int) -> Int? {
        let maskByteCount = self == .masked ? Self.maskByteCount(elementCount) : 0
        let (count, rest) = (byteCount - maskByteCount).quotientAndRemainder(dividingBy: 4)
        guard byteCount >= maskByteCount, rest == 0 else { return nil }
        return (self == .masked ? count <= elementCount : count == elementCount) ? count : nil
    }

    /// The encoding that takes the fewest bytes; the dense one where both take as many.
    static func smallest(elementCount: Int, valueCount: Int) -> RowEncoding {
        func size(_ encoding: Self) -> Int { encoding.byteCount(elementCount: elementCount, valueCount: valueCount) }
        return size(.masked) < size(.dense) ? .masked : .dense
    }
}
