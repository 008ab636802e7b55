import GraftGraph
import GraftTestSupport
import Testing

@Suite struct BitmapRowsTests {
    /// Elements with the bits of −0, infinity and a NaN among them; many are +0.
    static func elements(_ count: Int, seed: UInt64) -> [Float] {
        var random = SplitMix(seed: seed)
        let special: [Float] = [-0.0, .infinity, .nan, .leastNonzeroMagnitude]
        return (0..<count).map { _ in
            if random.chance(0.8) { return 0 }
            return random.chance(0.2) ? random.pick(special) : Float.random(in: -1...1, using: &random)
        }
    }

    private func bits(_ tensor: Tensor) -> [UInt32] { tensor.scalars.map(\.bitPattern) }

    @Test(arguments: [0, 1, 63, 64, 65, 200], [0, 1, 3, 20])
    func everyElementComesBackBitForBit(rowSize: Int, rowCount: Int) {
        let dense = Tensor(Self.elements(rowCount * rowSize, seed: 1), shape: [rowCount, rowSize])
        let rows = BitmapRows(dense)
        #expect(rows.rowCount == rowCount)
        #expect(rows.shape == dense.shape)
        #expect(rows.valueCount == dense.scalars.count { $0.bitPattern != 0 })
        #expect(bits(rows.tensor) == bits(dense))
    }

    /// As files have them: the mask's lowest bit is the first element's.
    @Test func aRowIsAMaskAndTheElementsThatAreNotZero() {
        var elements = [Float](repeating: 0, count: 70)
        (elements[3], elements[69]) = (1, 2)
        BitmapRows(Tensor(elements, shape: [1, 70])).withRows { rows in
            #expect((0..<2).map { rows[0].mask.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self) } == [8, 32])
            #expect((0..<2).map { rows[0].values.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) } == [1, 2])
            #expect(rows[0].values - rows[0].mask == 16)
        }
    }

    @Test func rowsAreWrittenWhereTheyStand() throws {
        let rows = BitmapRows([2, 3], byteCounts: [12, 16]) { number, bytes in
            bytes.storeBytes(of: number == 0 ? 2 : 5, as: UInt64.self)
            for value in 0...number {
                bytes.storeBytes(of: Float(value + 1), toByteOffset: 8 + 4 * value, as: Float.self)
            }
        }
        #expect(rows.tensor.scalars == [0, 1, 0, 1, 0, 2])
        #expect(rows.valueCount == 3)
        let array = HostArray.bitmap(rows)
        #expect(array.isBitmap && array.shape == [2, 3] && array.tensor == rows.tensor)
        struct Unreadable: Error {}
        #expect(throws: Unreadable.self) { try BitmapRows([1, 3], byteCounts: [8]) { _, _ in throw Unreadable() } }
    }
}
