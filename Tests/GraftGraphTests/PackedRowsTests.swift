import GraftGraph
import GraftTestSupport
import Testing

@Suite struct PackedRowsTests {
    /// Numbers with the bits of −0, infinity and a NaN among them; many are +0.
    private func numbers(_ count: Int, seed: UInt64) -> [Float] {
        var random = SplitMix(seed: seed)
        let special: [Float] = [-0.0, .infinity, .nan, .leastNonzeroMagnitude]
        return (0..<count).map { _ in
            if random.chance(0.8) { return 0 }
            return random.chance(0.2) ? random.pick(special) : Float.random(in: -1...1, using: &random)
        }
    }

    private func bits(_ tensor: Tensor) -> [UInt32] { tensor.scalars.map(\.bitPattern) }

    @Test(arguments: [0, 1, 63, 64, 65, 200], [0, 1, 3, 20])
    func everyNumberComesBackBitForBit(rowSize: Int, rowCount: Int) {
        let plain = Tensor(numbers(rowCount * rowSize, seed: 1), shape: [rowCount, rowSize])
        let packed = plain.packedByRows()
        #expect(packed.packedRows?.rowCount == rowCount)
        #expect(packed.shape == plain.shape)
        #expect(bits(packed) == bits(plain))
    }

    /// Masks and numbers as they stand in files.
    @Test func rowsFromFilesArePutTogetherByWords() {
        let (rowCount, rowSize) = (7, 150)
        let plain = Tensor(numbers(rowCount * rowSize, seed: 2), shape: [rowCount, rowSize])
        var files: [[UInt64]] = []
        var count = 0
        for row in 0..<rowCount {
            let own = Array(plain.scalars[(row * rowSize)..<((row + 1) * rowSize)])
            var mask = [UInt64](repeating: 0, count: PackedRows.wordCount(rowSize))
            for (index, number) in own.enumerated() where number.bitPattern != 0 {
                mask[index / 64] |= 1 << UInt64(index % 64)
            }
            let values = own.filter { $0.bitPattern != 0 }.map(\.bitPattern)
            count += values.count
            // Two numbers a word, and room behind them.
            let padded = values + [UInt32](repeating: 7, count: PackedRows.spareNumbers + values.count % 2)
            let words = stride(from: 0, to: padded.count, by: 2).map {
                UInt64(padded[$0]) | UInt64(padded[$0 + 1]) << 32
            }
            files.append((mask + words).map(\.littleEndian))
        }
        let size = files.map(\.count).max() ?? 0
        let all = files.flatMap { $0 + [UInt64](repeating: 0, count: size - $0.count) }
        let packed = all.withUnsafeBytes { bytes in
            let rows = (0..<rowCount).compactMap { row in
                bytes.baseAddress.map { base in
                    let mask = base + 8 * size * row
                    return PackedRows.Row(mask: mask, numbers: mask + 8 * PackedRows.wordCount(rowSize))
                }
            }
            return PackedRows(rows, rowSize: rowSize, count: count)
        }
        #expect(bits(Tensor(packed, shape: [rowCount, rowSize])) == bits(plain))
    }

    /// Words of the first rows stand before the second words, and their numbers in the same order.
    @Test func wordsStandInTheOrderInWhichAProductReadsThem() {
        var numbers = [Float](repeating: 0, count: 2 * 70)
        (numbers[3], numbers[69], numbers[70], numbers[70 + 64]) = (1, 2, 3, 4)
        let packed = Tensor(numbers, shape: [2, 70]).packedByRows().packedRows
        packed?.withUnsafePointers { masks, starts, values in
            #expect((0..<4).map { masks[$0] } == [8, 1, 32, 1])
            #expect((0..<2).map { starts[$0] } == [0, 2])
            #expect((0..<4).map { values[$0] } == [1, 3, 2, 4])
        }
    }

    // MARK: As a tensor

    @Test func aPackedTensorIsReadLikeAnyOther() {
        let plain = Tensor(numbers(3 * 100, seed: 3).map { $0.isNaN ? 5 : $0 }, shape: [3, 100])
        let packed = plain.packedByRows()
        #expect(packed == plain)
        #expect(packed[205] == plain[205])
        #expect(packed.hashValue == plain.hashValue)
        #expect(packed.withUnsafeStoredBytes(Array.init) == plain.withUnsafeStoredBytes(Array.init))
        #expect(packed.stored(as: .bfloat16) == plain.stored(as: .bfloat16))
    }

    @Test func whoeverWritesToOneHasAPlainCopy() {
        let packed = Tensor(numbers(3 * 100, seed: 4), shape: [3, 100]).packedByRows()
        let before = bits(packed)
        var written = packed
        let isUnshared = written.isUnshared()
        #expect(!isUnshared)
        written.withUnsafeMutableBuffer { $0[7] = 42 }
        #expect(written.packedRows == nil)
        #expect(written[7] == 42)
        var bytes = packed
        bytes.withUnsafeMutableStoredBytes { $0.storeBytes(of: 1, toByteOffset: 0, as: UInt32.self) }
        #expect(bytes[0].bitPattern == 1)
        #expect(bits(packed) == before)
    }

    @Test func anotherShapeIsPackedStillWhereRowsAreTheSame() {
        let packed = Tensor(numbers(4 * 60, seed: 5), shape: [4, 60]).packedByRows()
        let image = packed.reshaped(to: [4, 3, 5, 4])
        #expect(image.packedRows === packed.packedRows)
        let other = packed.reshaped(to: [8, 30])
        #expect(other.packedRows == nil)
        #expect(bits(other) == bits(packed))
    }
}
