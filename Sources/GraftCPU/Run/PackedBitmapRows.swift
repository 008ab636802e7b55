/// Bitmap-compressed rows packed in the order in which a skinny GEMM reads them: a bit for each element, set where it is not
/// +0.0, and the values of those.
///
/// Words of 64 bits are in the order in which a product goes along the rows: the first word of each row, then the second of each,
/// and the values in the order of their bits.
final class PackedBitmapRows: Sendable {
    /// The number of rows, and of elements in each.
    let rowCount: Int
    let rowSize: Int
    /// Masks, of [words][rows]; the position of each word's first value, of [words]; both 64 bits each. Then the values, and room
    /// for ``spareValues`` more.
    private let memory: Tensor

    /// The parts of the memory.
    private struct Parts {
        let masks: UnsafeMutablePointer<UInt64>
        let starts: UnsafeMutablePointer<UInt64>
        let values: UnsafeMutablePointer<Float>
    }

    /// As many values as are copied, or read by kernels, at once.
    static let spareValues = BitmapRows.spareByteCount / MemoryLayout<Float>.stride

    /// Rows in the order in which a product reads them.
    ///
    /// - Parameter pool: where memory comes from.
    init(_ rows: BitmapRows, in pool: TensorPool) {
        let rowSize = rows.rowSize
        (rowCount, self.rowSize) = (rows.rowCount, rowSize)
        memory = Self.memory(rowCount: rows.rowCount, rowSize: rowSize, count: rows.valueCount, in: pool) { parts in
            rows.withRows { rows in
                Self.packMasks(of: rows, rowSize: rowSize, parts)
                Self.packValues(of: rows, rowSize: rowSize, parts)
            }
        }
    }

    private static func memory(
        rowCount: Int, rowSize: Int, count: Int, in pool: TensorPool, fill: (Parts) -> Void
    ) -> Tensor {
        let wordCount = BitmapRows.wordCount(rowSize)
        let size = 2 * (rowCount + 1) * wordCount + count + spareValues
        return pool.tensor([TensorPool.roomyCount(size)]) { memory in
            guard let base = memory.baseAddress else { return }
            fill(parts(base, rowCount: rowCount, wordCount: wordCount))
        }
    }

    private static func parts(_ base: UnsafeMutablePointer<Float>, rowCount: Int, wordCount: Int) -> Parts {
        let masks = UnsafeMutableRawPointer(base).assumingMemoryBound(to: UInt64.self)
        return Parts(
            masks: masks, starts: masks + rowCount * wordCount, values: base + 2 * (rowCount + 1) * wordCount)
    }

    private static func packMasks(of rows: [BitmapRows.Row], rowSize: Int, _ parts: Parts) {
        for (number, row) in rows.enumerated() {
            var place = parts.masks + number
            for word in 0..<BitmapRows.wordCount(rowSize) {
                place.pointee = UInt64(
                    littleEndian: row.mask.loadUnaligned(fromByteOffset: 8 &* word, as: UInt64.self))
                place += rows.count
            }
        }
    }

    private static func packValues(of rows: [BitmapRows.Row], rowSize: Int, _ parts: Parts) {
        var sources = rows.map(\.values)
        var (mask, number) = (parts.masks, parts.values)
        sources.withUnsafeMutableBufferPointer { sources in
            for word in 0..<BitmapRows.wordCount(rowSize) {
                parts.starts[word] = UInt64(number - parts.values)
                for row in sources.indices {
                    let count = mask.pointee.nonzeroBitCount
                    copy(count, from: sources[row], to: number)
                    sources[row] += 4 &* count
                    number += count
                    mask += 1
                }
            }
        }
    }

    /// Copies values, sixteen at a time: they are few and of unpredictable number. Those after them are overwritten, and written
    /// later.
    @inline(__always)
    private static func copy(_ count: Int, from source: UnsafeRawPointer, to target: UnsafeMutablePointer<Float>) {
        for first in stride(from: 0, to: count, by: spareValues) {
            let numbers = source.loadUnaligned(fromByteOffset: 4 &* first, as: SIMD16<UInt32>.self)
            UnsafeMutableRawPointer(target + first).storeBytes(of: numbers.littleEndian, as: SIMD16<UInt32>.self)
        }
    }

    /// The bytes that it takes.
    var byteCount: Int { memory.byteCount }

    /// Masks, the starts of their words, and values.
    func withUnsafePointers<Result>(
        _ body: (UnsafePointer<UInt64>, UnsafePointer<UInt64>, UnsafePointer<Float>) -> Result
    ) -> Result? {
        memory.withUnsafeBuffer { memory in
            guard let base = memory.baseAddress else { return nil }
            let parts = Self.parts(
                UnsafeMutablePointer(mutating: base), rowCount: rowCount, wordCount: BitmapRows.wordCount(rowSize))
            return body(parts.masks, parts.starts, parts.values)
        }
    }
}

extension SIMD16<UInt32> {
    /// From little-endian order.
    fileprivate var littleEndian: Self {
        #if _endian(little)
            self
        #else
            var swapped = self
            for index in indices { swapped[index] = self[index].byteSwapped }
            return swapped
        #endif
    }
}
