extension RowEncoding {
    /// Writes every element of a row.
    ///
    /// - Parameters:
    ///   - bytes: the row as it stands in the file; nothing is taken for granted about it.
    ///   - row: four bytes for each element, aligned as they are.
    /// - Returns: whether the bytes are a row of this encoding; where they are not, the row holds anything.
    func unpack(_ bytes: UnsafeRawBufferPointer, into row: UnsafeMutableRawBufferPointer) -> Bool {
        let elementCount = row.count / 4
        guard let valueCount = valueCount(byteCount: bytes.count, elementCount: elementCount) else { return false }
        guard let source = bytes.baseAddress, let target = row.baseAddress else { return elementCount == 0 }
        switch self {
        case .float32: expandAll(source, to: target, count: elementCount) { UInt32(littleEndian: $0) }
        case .bfloat16:
            expandAll(source, to: target, count: elementCount) { (value: UInt16) in
                UInt32(UInt16(littleEndian: value)) &<< 16
            }
        case .maskedFloat32, .maskedBFloat16:
            guard Self.isMask(bytes, elementCount: elementCount, valueCount: valueCount) else { return false }
            if isNarrow {
                expandMarked(source, to: target, count: elementCount) { (value: UInt16) in
                    UInt32(UInt16(littleEndian: value)) &<< 16
                }
            } else {
                expandMarked(source, to: target, count: elementCount) { UInt32(littleEndian: $0) }
            }
        }
        return true
    }

    /// Whether a mask has as many bits as there are values, none behind the last element.
    private static func isMask(_ bytes: UnsafeRawBufferPointer, elementCount: Int, valueCount: Int) -> Bool {
        var (count, last) = (0, UInt64(0))
        for word in 0..<maskWordCount(elementCount) {
            last = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 &* word, as: UInt64.self))
            count &+= last.nonzeroBitCount
        }
        let used = elementCount % 64
        return count == valueCount && (used == 0 || last >> UInt64(used) == 0)
    }
}

@inline(__always)
private func expandAll<Value: FixedWidthInteger & BitwiseCopyable>(
    _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, count: Int, _ element: (Value) -> UInt32
) {
    for index in 0..<count {
        let value = source.loadUnaligned(fromByteOffset: MemoryLayout<Value>.stride &* index, as: Value.self)
        target.storeBytes(of: element(value), toByteOffset: 4 &* index, as: UInt32.self)
    }
}

/// Zeros a word of the mask's elements at once, then sets those that are marked.
@inline(__always)
private func expandMarked<Value: FixedWidthInteger & BitwiseCopyable>(
    _ mask: UnsafeRawPointer, to row: UnsafeMutableRawPointer, count: Int, _ element: (Value) -> UInt32
) {
    var (target, source) = (row, mask + RowEncoding.maskByteCount(count))
    for word in 0..<RowEncoding.maskWordCount(count) {
        target.initializeMemory(as: UInt8.self, repeating: 0, count: 4 &* min(64, count &- 64 &* word))
        var rest = UInt64(littleEndian: mask.loadUnaligned(fromByteOffset: 8 &* word, as: UInt64.self))
        while rest != 0 {
            let value = source.loadUnaligned(as: Value.self)
            target.storeBytes(of: element(value), toByteOffset: 4 &* rest.trailingZeroBitCount, as: UInt32.self)
            source += MemoryLayout<Value>.stride
            rest &= rest &- 1
        }
        target += 256
    }
}
