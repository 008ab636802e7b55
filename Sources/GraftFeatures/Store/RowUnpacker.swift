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
        case .masked: Self.expand(source, to: target, count: elementCount)
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
        for word in 0..<maskWordCount(elementCount) {
            last = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 &* word, as: UInt64.self))
            count &+= last.nonzeroBitCount
        }
        let used = elementCount % 64
        return count == valueCount && (used == 0 || last >> UInt64(used) == 0)
    }

    /// Zeros a word of the mask's elements at once, then sets those that are marked.
    private static func expand(_ mask: UnsafeRawPointer, to row: UnsafeMutableRawPointer, count: Int) {
        var (target, source) = (row, mask + maskByteCount(count))
        for word in 0..<maskWordCount(count) {
            target.initializeMemory(as: UInt8.self, repeating: 0, count: 4 &* min(64, count &- 64 &* word))
            var rest = UInt64(littleEndian: mask.loadUnaligned(fromByteOffset: 8 &* word, as: UInt64.self))
            while rest != 0 {
                move(source, to: target + 4 &* rest.trailingZeroBitCount)
                source += 4
                rest &= rest &- 1
            }
            target += 256
        }
    }

    /// Takes a number from little-endian order, or brings it there.
    @inline(__always)
    static func move(_ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer) {
        target.storeBytes(of: source.loadUnaligned(as: UInt32.self).littleEndian, as: UInt32.self)
    }
}
