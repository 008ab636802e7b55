/// Rows of numbers most of which are +0.0: a bit for each number, set where it is something else, and those numbers alone.
///
/// What comes out of a relu is like that, and a product that knows the bits beforehand reads nothing for the others. Words
/// of 64 bits stand in the order in which a product goes along the rows: the first word of each row, then the second of
/// each, and the numbers in the order of their bits.
final class PackedBitmapRows: Sendable {
    /// The number of rows, and of numbers in each.
    let rowCount: Int
    let rowSize: Int
    /// Masks, of [words][rows]; behind them where each word's first number stands, of [words]; both 64 bits each. Behind them
    /// the numbers, and room for ``spareNumbers`` more.
    private let memory: Tensor

    /// Where the parts of the memory stand.
    private struct Parts {
        let masks: UnsafeMutablePointer<UInt64>
        let starts: UnsafeMutablePointer<UInt64>
        let numbers: UnsafeMutablePointer<Float>
    }

    /// As many numbers as are copied, or read by kernels, at once.
    static let spareNumbers = BitmapRows.spareByteCount / MemoryLayout<Float>.stride

    /// Rows in the order in which a product reads them.
    ///
    /// - Parameter pool: where memory comes from.
    init(_ rows: BitmapRows, in pool: TensorPool) {
        let rowSize = rows.rowSize
        (rowCount, self.rowSize) = (rows.rowCount, rowSize)
        memory = Self.memory(rowCount: rows.rowCount, rowSize: rowSize, count: rows.valueCount, in: pool) { parts in
            rows.withRows { rows in
                Self.placeMasks(of: rows, rowSize: rowSize, parts)
                Self.placeNumbers(of: rows, rowSize: rowSize, parts)
            }
        }
    }

    private static func memory(
        rowCount: Int, rowSize: Int, count: Int, in pool: TensorPool, fill: (Parts) -> Void
    ) -> Tensor {
        let wordCount = BitmapRows.wordCount(rowSize)
        let size = 2 * (rowCount + 1) * wordCount + count + spareNumbers
        return pool.tensor([Shape.roomy(size)]) { memory in
            guard let base = memory.baseAddress else { return }
            fill(parts(base, rowCount: rowCount, wordCount: wordCount))
        }
    }

    private static func parts(_ base: UnsafeMutablePointer<Float>, rowCount: Int, wordCount: Int) -> Parts {
        let masks = UnsafeMutableRawPointer(base).assumingMemoryBound(to: UInt64.self)
        return Parts(
            masks: masks, starts: masks + rowCount * wordCount, numbers: base + 2 * (rowCount + 1) * wordCount)
    }

    private static func placeMasks(of rows: [BitmapRows.Row], rowSize: Int, _ parts: Parts) {
        for (number, row) in rows.enumerated() {
            var place = parts.masks + number
            for word in 0..<BitmapRows.wordCount(rowSize) {
                place.pointee = UInt64(
                    littleEndian: row.mask.loadUnaligned(fromByteOffset: 8 &* word, as: UInt64.self))
                place += rows.count
            }
        }
    }

    private static func placeNumbers(of rows: [BitmapRows.Row], rowSize: Int, _ parts: Parts) {
        var sources = rows.map(\.values)
        var (mask, number) = (parts.masks, parts.numbers)
        sources.withUnsafeMutableBufferPointer { sources in
            for word in 0..<BitmapRows.wordCount(rowSize) {
                parts.starts[word] = UInt64(number - parts.numbers)
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

    /// Copies numbers, sixteen at a time: they are few and of a length that nobody foresees. Those behind them are
    /// overwritten, and come later.
    @inline(__always)
    private static func copy(_ count: Int, from source: UnsafeRawPointer, to target: UnsafeMutablePointer<Float>) {
        for first in stride(from: 0, to: count, by: spareNumbers) {
            let numbers = source.loadUnaligned(fromByteOffset: 4 &* first, as: SIMD16<UInt32>.self)
            UnsafeMutableRawPointer(target + first).storeBytes(of: numbers.littleEndian, as: SIMD16<UInt32>.self)
        }
    }

    /// The bytes that it takes.
    var byteCount: Int { memory.byteCount }

    /// Where masks, their words' starts and numbers stand.
    func withUnsafePointers<Result>(
        _ body: (UnsafePointer<UInt64>, UnsafePointer<UInt64>, UnsafePointer<Float>) -> Result
    ) -> Result? {
        memory.withUnsafeBuffer { memory in
            guard let base = memory.baseAddress else { return nil }
            let parts = Self.parts(
                UnsafeMutablePointer(mutating: base), rowCount: rowCount, wordCount: BitmapRows.wordCount(rowSize))
            return body(parts.masks, parts.starts, parts.numbers)
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
