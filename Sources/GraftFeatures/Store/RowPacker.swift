import GraftGraph

/// Packs rows, each into the same memory.
///
/// Used by one thread. Two passes over a row: one marks what is not +0.0 and finds the smallest encoding, one copies the
/// values; the first has no branches and the second one for each value, so that a row costs some microseconds.
final class RowPacker {
    let elementCount: Int
    /// The mask and, after it, the values.
    private let memory: UnsafeMutableRawBufferPointer

    /// A packer of rows with so many elements.
    init(elementCount: Int) {
        self.elementCount = elementCount
        memory = .allocate(byteCount: max(RowEncoding.maskByteCount(elementCount) + 4 * elementCount, 1), alignment: 64)
    }

    deinit { memory.deallocate() }

    /// The row in the smallest encoding; the bytes hold until the next call.
    ///
    /// - Precondition: the row has four bytes for each element.
    func pack(_ row: UnsafeRawBufferPointer) -> (encoding: RowEncoding, bytes: UnsafeRawBufferPointer) {
        precondition(row.count == 4 * elementCount, "a row has \(4 * elementCount) bytes, not \(row.count)")
        let valueCount = mark(row)
        let encoding = RowEncoding.smallest(elementCount: elementCount, valueCount: valueCount)
        let maskByteCount = RowEncoding.maskByteCount(elementCount)
        if let source = row.baseAddress, let values = memory.baseAddress.map({ $0 + maskByteCount }) {
            switch encoding {
            case .dense:
                for index in 0..<elementCount { RowEncoding.move(source + 4 &* index, to: values + 4 &* index) }
            case .masked: copyMarked(source, to: values)
            }
        }
        let start = encoding == .masked ? 0 : maskByteCount
        let byteCount = encoding.byteCount(elementCount: elementCount, valueCount: valueCount)
        return (encoding, UnsafeRawBufferPointer(rebasing: memory[start..<(start + byteCount)]))
    }

    /// Writes the mask.
    ///
    /// - Returns: how many elements are not +0.0.
    private func mark(_ row: UnsafeRawBufferPointer) -> Int {
        guard let source = row.baseAddress else { return 0 }
        var valueCount = 0
        let wholeWords = elementCount / 64
        for word in 0..<wholeWords {
            let first = Self.mask(of: source + 256 &* word), second = Self.mask(of: source + (256 &* word &+ 128))
            let mask = UInt64(first) | UInt64(second) &<< 32
            valueCount &+= mask.nonzeroBitCount
            memory.storeBytes(of: mask.littleEndian, toByteOffset: 8 &* word, as: UInt64.self)
        }
        if wholeWords * 64 < elementCount {
            var mask: UInt64 = 0
            for index in (wholeWords * 64)..<elementCount {
                let value = source.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
                if value != 0 { mask |= 1 << UInt64(index % 64) }
            }
            valueCount += mask.nonzeroBitCount
            memory.storeBytes(of: mask.littleEndian, toByteOffset: 8 * wholeWords, as: UInt64.self)
        }
        return valueCount
    }

    /// A bit for each of 32 elements: whether it is not +0.0.
    @inline(__always)
    private static func mask(of elements: UnsafeRawPointer) -> UInt32 {
        var (mask, weights) = (SIMD4<Int32>(), SIMD4<Int32>(1, 2, 4, 8))
        for part in 0..<8 {
            let values = elements.loadUnaligned(fromByteOffset: 16 &* part, as: SIMD4<Int32>.self)
            // A number or its negative has the sign bit unless it is zero.
            mask |= ((values | (0 &- values)) &>> 31) & weights
            weights = weights &<< 4
        }
        return UInt32(bitPattern: mask[0] | mask[1] | mask[2] | mask[3])
    }

    private func copyMarked(_ row: UnsafeRawPointer, to values: UnsafeMutableRawPointer) {
        var (source, target) = (row, values)
        for word in 0..<BitmapRows.wordCount(elementCount) {
            var rest = UInt64(littleEndian: memory.load(fromByteOffset: 8 &* word, as: UInt64.self))
            while rest != 0 {
                RowEncoding.move(source + 4 &* rest.trailingZeroBitCount, to: target)
                target += 4
                rest &= rest &- 1
            }
            source += 256
        }
    }
}
