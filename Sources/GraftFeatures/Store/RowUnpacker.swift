import GraftGraph

extension RowEncoding {
    /// Writes every element of a row.
    ///
    /// - Parameters:
    ///   - bytes: the row as it is in the file; nothing is taken for granted about it.
    ///   - row: four bytes for each element, aligned as they are.
    /// - Returns: whether the bytes are a row of this encoding; where they are not, the row holds anything.
    func unpack(_ bytes: UnsafeRawBufferPointer, into row: UnsafeMutableRawBufferPointer) -> Bool {
        let elementCount = row.count / 4
        guard fits(bytes, elementCount: elementCount) else { return false }
        guard let source = bytes.baseAddress, let target = row.baseAddress else { return elementCount == 0 }
        switch self {
        case .dense:
            for index in 0..<elementCount { Self.move(source + 4 &* index, to: target + 4 &* index) }
        case .masked:
            let values = source + Self.maskByteCount(elementCount)
            BitmapRows.expand(BitmapRows.Row(mask: source, values: values), count: elementCount, into: target)
        }
        return true
    }

    /// Whether bytes are a row of this encoding, with so many elements.
    func fits(_ bytes: UnsafeRawBufferPointer, elementCount: Int) -> Bool {
        guard let valueCount = valueCount(byteCount: bytes.count, elementCount: elementCount) else { return false }
        return self == .dense || Self.isMask(bytes, elementCount: elementCount, valueCount: valueCount)
    }

    /// Whether a mask has as many bits as there are values, none after the last element.
    private static func isMask(_ bytes: UnsafeRawBufferPointer, elementCount: Int, valueCount: Int) -> Bool {
        var (count, last) = (0, UInt64(0))
        for word in 0..<BitmapRows.wordCount(elementCount) {
            last = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 &* word, as: UInt64.self))
            count &+= last.nonzeroBitCount
        }
        let used = elementCount % 64
        return count == valueCount && (used == 0 || last >> UInt64(used) == 0)
    }

    /// Takes a number from little-endian order, or brings it there.
    @inline(__always)
    static func move(_ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer) {
        target.storeBytes(of: source.loadUnaligned(as: UInt32.self).littleEndian, as: UInt32.self)
    }
}
