/// Packs rows, each into the same memory.
///
/// Used by one thread. Two passes over a row: one marks what is not +0.0 and finds the smallest encoding, one copies the
/// values; the first has no branches and the second one for each value, so that a row costs some microseconds.
final class RowPacker {
    let elementCount: Int
    /// The mask and, behind it, the values.
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
        let (valueCount, bits) = mark(row)
        let encoding = RowEncoding.smallest(
            elementCount: elementCount, valueCount: valueCount, isNarrow: bits & 0xFFFF == 0)
        let start = encoding.isMasked ? 0 : RowEncoding.maskByteCount(elementCount)
        let values = UnsafeMutableRawBufferPointer(rebasing: memory[RowEncoding.maskByteCount(elementCount)...])
        switch encoding {
        case .float32: copyAll(row, to: values) { $0.littleEndian }
        case .bfloat16: copyAll(row, to: values) { UInt16(truncatingIfNeeded: $0 &>> 16).littleEndian }
        case .maskedFloat32: copyMarked(row, to: values) { $0.littleEndian }
        case .maskedBFloat16: copyMarked(row, to: values) { UInt16(truncatingIfNeeded: $0 &>> 16).littleEndian }
        }
        let byteCount = encoding.byteCount(elementCount: elementCount, valueCount: valueCount)
        return (encoding, UnsafeRawBufferPointer(rebasing: memory[start..<(start + byteCount)]))
    }

    /// Writes the mask.
    ///
    /// - Returns: how many elements are not +0.0, and all their bits or-ed.
    private func mark(_ row: UnsafeRawBufferPointer) -> (valueCount: Int, bits: UInt32) {
        guard let source = row.baseAddress else { return (0, 0) }
        var (valueCount, bits) = (0, SIMD4<Int32>())
        let wholeWords = elementCount / 64
        for word in 0..<wholeWords {
            let first = Self.mask(of: source + 256 &* word, &bits)
            let second = Self.mask(of: source + (256 &* word &+ 128), &bits)
            let mask = UInt64(first) | UInt64(second) &<< 32
            valueCount &+= mask.nonzeroBitCount
            memory.storeBytes(of: mask.littleEndian, toByteOffset: 8 &* word, as: UInt64.self)
        }
        var allBits = UInt32(bitPattern: bits[0] | bits[1] | bits[2] | bits[3])
        if wholeWords * 64 < elementCount {
            var mask: UInt64 = 0
            for index in (wholeWords * 64)..<elementCount {
                let value = source.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
                allBits |= value
                if value != 0 { mask |= 1 << UInt64(index % 64) }
            }
            valueCount += mask.nonzeroBitCount
            memory.storeBytes(of: mask.littleEndian, toByteOffset: 8 * wholeWords, as: UInt64.self)
        }
        return (valueCount, allBits)
    }

    /// A bit for each of 32 elements: whether it is not +0.0. The elements' bits are or-ed into `bits`.
    @inline(__always)
    private static func mask(of elements: UnsafeRawPointer, _ bits: inout SIMD4<Int32>) -> UInt32 {
        var (mask, weights) = (SIMD4<Int32>(), SIMD4<Int32>(1, 2, 4, 8))
        for part in 0..<8 {
            let values = elements.loadUnaligned(fromByteOffset: 16 &* part, as: SIMD4<Int32>.self)
            bits |= values
            // A number or its negative has the sign bit unless it is zero.
            mask |= ((values | (0 &- values)) &>> 31) & weights
            weights = weights &<< 4
        }
        return UInt32(bitPattern: mask[0] | mask[1] | mask[2] | mask[3])
    }

    @inline(__always)
    private func copyAll<Value: FixedWidthInteger & BitwiseCopyable>(
        _ row: UnsafeRawBufferPointer, to values: UnsafeMutableRawBufferPointer, _ value: (UInt32) -> Value
    ) {
        guard let source = row.baseAddress, let target = values.baseAddress else { return }
        let stride = MemoryLayout<Value>.stride
        for index in 0..<elementCount {
            let element = source.loadUnaligned(fromByteOffset: 4 &* index, as: UInt32.self)
            target.storeBytes(of: value(element), toByteOffset: stride &* index, as: Value.self)
        }
    }

    @inline(__always)
    private func copyMarked<Value: FixedWidthInteger & BitwiseCopyable>(
        _ row: UnsafeRawBufferPointer, to values: UnsafeMutableRawBufferPointer, _ value: (UInt32) -> Value
    ) {
        guard var source = row.baseAddress, var target = values.baseAddress, let mask = memory.baseAddress else {
            return
        }
        for word in 0..<RowEncoding.maskWordCount(elementCount) {
            var rest = UInt64(littleEndian: mask.load(fromByteOffset: 8 &* word, as: UInt64.self))
            while rest != 0 {
                let element = source.loadUnaligned(fromByteOffset: 4 &* rest.trailingZeroBitCount, as: UInt32.self)
                target.storeBytes(of: value(element), as: Value.self)
                target += MemoryLayout<Value>.stride
                rest &= rest &- 1
            }
            source += 256
        }
    }
}
