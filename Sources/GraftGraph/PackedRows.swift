/// Rows of numbers most of which are +0.0: a bit for each number, set where it is something else, and those numbers alone.
///
/// What comes out of a relu is like that, and a product that knows the bits beforehand reads nothing for the others. Words
/// of 64 bits stand in the order in which a product goes along the rows: the first word of each row, then the second of
/// each, and the numbers in the order of their bits.
package final class PackedRows: Sendable {
    /// The number of rows, and of numbers in each.
    package let rowCount: Int
    package let rowSize: Int
    /// Masks, of [words][rows]; behind them where each word's first number stands, of [words]; both 64 bits each. Behind them
    /// the numbers, and room for ``spareNumbers`` more.
    private let memory: Tensor

    /// A row on its way in: a mask, the first number's bit the lowest of the first word and none set behind the last number,
    /// and as many numbers as bits are set; both little-endian, as in files. ``spareNumbers`` more may be read behind them.
    package struct Row {
        let mask: UnsafeRawPointer
        let numbers: UnsafeRawPointer

        package init(mask: UnsafeRawPointer, numbers: UnsafeRawPointer) { (self.mask, self.numbers) = (mask, numbers) }
    }

    /// Where the parts of the memory stand.
    private struct Parts {
        let masks: UnsafeMutablePointer<UInt64>
        let starts: UnsafeMutablePointer<UInt64>
        let numbers: UnsafeMutablePointer<Float>
    }

    /// As many numbers as are copied, or read by kernels, at once.
    package static let spareNumbers = 16

    /// The words of a row's mask.
    package static func wordCount(_ rowSize: Int) -> Int { (rowSize + 63) / 64 }

    /// Puts rows together.
    ///
    /// - Parameters:
    ///   - count: how many bits are set in all masks together.
    ///   - pool: where memory comes from.
    package init(_ rows: [Row], rowSize: Int, count: Int, in pool: TensorPool = TensorPool(capacity: 0)) {
        (rowCount, self.rowSize) = (rows.count, rowSize)
        memory = Self.memory(rowCount: rows.count, rowSize: rowSize, count: count, in: pool) { parts in
            Self.placeMasks(of: rows, rowSize: rowSize, parts)
            Self.placeNumbers(of: rows, rowSize: rowSize, parts)
        }
    }

    /// Packs rows that stand one behind the other.
    package init(_ numbers: UnsafeBufferPointer<Float>, rowCount: Int) {
        let rowSize = rowCount == 0 ? 0 : numbers.count / rowCount
        (self.rowCount, self.rowSize) = (rowCount, rowSize)
        let count = numbers.count { $0.bitPattern != 0 }
        memory = Self.memory(rowCount: rowCount, rowSize: rowSize, count: count, in: TensorPool(capacity: 0)) { parts in
            var position = 0
            for word in 0..<Self.wordCount(rowSize) {
                parts.starts[word] = UInt64(position)
                for row in 0..<rowCount {
                    var mask: UInt64 = 0
                    for index in (64 * word)..<min(64 * word + 64, rowSize) {
                        let number = numbers[row * rowSize + index]
                        guard number.bitPattern != 0 else { continue }
                        mask |= 1 << UInt64(index % 64)
                        parts.numbers[position] = number
                        position += 1
                    }
                    parts.masks[word * rowCount + row] = mask
                }
            }
        }
    }

    private static func memory(
        rowCount: Int, rowSize: Int, count: Int, in pool: TensorPool, fill: (Parts) -> Void
    ) -> Tensor {
        let wordCount = wordCount(rowSize)
        let size = 2 * (rowCount + 1) * wordCount + count + spareNumbers
        // Few sizes, so that a batch finds the memory of one before it.
        let roomy = 1 << (Int.bitWidth - size.leadingZeroBitCount)
        return pool.tensor([roomy]) { memory in
            guard let base = memory.baseAddress else { return }
            fill(parts(base, rowCount: rowCount, wordCount: wordCount))
        }
    }

    private static func parts(_ base: UnsafeMutablePointer<Float>, rowCount: Int, wordCount: Int) -> Parts {
        let masks = UnsafeMutableRawPointer(base).assumingMemoryBound(to: UInt64.self)
        return Parts(
            masks: masks, starts: masks + rowCount * wordCount, numbers: base + 2 * (rowCount + 1) * wordCount)
    }

    private static func placeMasks(of rows: [Row], rowSize: Int, _ parts: Parts) {
        for (number, row) in rows.enumerated() {
            var place = parts.masks + number
            for word in 0..<wordCount(rowSize) {
                place.pointee = UInt64(
                    littleEndian: row.mask.loadUnaligned(fromByteOffset: 8 &* word, as: UInt64.self))
                place += rows.count
            }
        }
    }

    private static func placeNumbers(of rows: [Row], rowSize: Int, _ parts: Parts) {
        var sources = rows.map(\.numbers)
        var (mask, number) = (parts.masks, parts.numbers)
        sources.withUnsafeMutableBufferPointer { sources in
            for word in 0..<wordCount(rowSize) {
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

    /// Where masks, their words' starts and numbers stand.
    package func withUnsafePointers<Result>(
        _ body: (UnsafePointer<UInt64>, UnsafePointer<UInt64>, UnsafePointer<Float>) -> Result
    ) -> Result? {
        memory.withUnsafeBuffer { memory in
            guard let base = memory.baseAddress else { return nil }
            let parts = Self.parts(
                UnsafeMutablePointer(mutating: base), rowCount: rowCount, wordCount: Self.wordCount(rowSize))
            return body(parts.masks, parts.starts, parts.numbers)
        }
    }

    /// Writes all numbers, row by row.
    package func unpack(into target: UnsafeMutableBufferPointer<Float>) {
        target.initialize(repeating: 0)
        _ = withUnsafePointers { mask, _, number in
            var (mask, number) = (mask, number)
            for word in 0..<Self.wordCount(rowSize) {
                for row in 0..<rowCount {
                    var rest = mask.pointee
                    while rest != 0 {
                        target[row * rowSize + 64 * word + rest.trailingZeroBitCount] = number.pointee
                        number += 1
                        rest &= rest &- 1
                    }
                    mask += 1
                }
            }
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
