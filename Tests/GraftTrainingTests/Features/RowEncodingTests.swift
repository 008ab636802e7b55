import GraftTestSupport
import Testing

@testable import GraftTraining

@Suite struct RowEncodingTests {
    /// What the values of a row are drawn from: bits with and without a lower half, among them -0.0, infinities, quiet and
    /// signalling NaN with payloads, subnormal and largest numbers.
    enum Values: CaseIterable {
        case wide, narrow

        private var special: [UInt32] {
            let narrow: [UInt32] = [
                0x8000_0000, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0xFFC1_0000, 0x0001_0000, 0x007F_0000, 0x7F7F_0000,
            ]
            let wide: [UInt32] = [
                0x0000_0001, 0x8000_0001, 0x007F_FFFF, 0x7F80_0001, 0xFFBF_FFFF, 0x7FC0_1234, 0x7F7F_FFFF, 0x0000_8000,
            ]
            return self == .narrow ? narrow : narrow + wide
        }

        func bits(_ random: inout SplitMix) -> UInt32 {
            if random.chance(0.3) { return random.pick(special) }
            let bits = UInt32.random(in: 1 ... .max, using: &random)
            return self == .narrow ? max(bits & 0xFFFF_0000, 0x0001_0000) : bits
        }
    }

    @Test(arguments: [0, 1, 2, 3, 4, 5, 63, 64, 65, 127, 128, 129, 1000, 2048, 4097], Values.allCases)
    func everyRowComesBackBitForBitInTheFewestBytes(elementCount: Int, values: Values) {
        var random = SplitMix(seed: UInt64(elementCount))
        let packer = RowPacker(elementCount: elementCount)
        for share in [0, 0.01, 0.14, 0.5, 0.9, 0.97, 0.99, 1] {
            let row = (0..<elementCount).map { _ in random.chance(share) ? values.bits(&random) : 0 }
            let (encoding, bytes) = row.withUnsafeBytes { row in
                let (encoding, bytes) = packer.pack(row)
                return (encoding, Array(bytes))
            }
            #expect(unpacked(bytes, encoding, elementCount: elementCount) == row, "\(encoding) \(share)")
            let isNarrow = row.allSatisfy { $0 & 0xFFFF == 0 }
            let sizes = RowEncoding.allCases.filter { isNarrow || !$0.isNarrow }.map {
                $0.byteCount(elementCount: elementCount, valueCount: row.count { $0 != 0 })
            }
            #expect(bytes.count == sizes.min(), "\(encoding) \(share)")
            #expect(encoding.isNarrow == isNarrow)
        }
    }

    @Test func bytesStandWhereTheFormatSays() {
        var row = [Float](repeating: 0, count: 65)
        (row[0], row[9], row[64]) = (1, -0.0, -2.5)
        let packed = pack(row)
        #expect(packed.encoding == .maskedBFloat16)
        #expect(packed.bytes == [1, 2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x3F, 0x00, 0x80, 0x20, 0xC0])
        row[9] = Float(bitPattern: 0x0102_0304)
        let wide = pack(row)
        #expect(wide.encoding == .maskedFloat32)
        #expect(
            wide.bytes == packed.bytes.prefix(16) + [0, 0, 0x80, 0x3F, 0x04, 0x03, 0x02, 0x01, 0x00, 0x00, 0x20, 0xC0])
        #expect(pack([1, -2.5]) == Packed(encoding: .bfloat16, bytes: [0x80, 0x3F, 0x20, 0xC0]))
        #expect(
            pack([Float(bitPattern: 0x0102_0304)]) == Packed(encoding: .float32, bytes: [0x04, 0x03, 0x02, 0x01]))
    }

    @Test func aMaskThatSavesNothingIsLeftOut() {
        // The mask of 64 elements has 8 bytes: as many as two values of 32 bits, or four of 16.
        let wide = Float(bitPattern: 0x3F80_0001)
        func encoding(_ value: Float, zeros: Int) -> RowEncoding {
            pack([Float](repeating: value, count: 64 - zeros) + [Float](repeating: 0, count: zeros)).encoding
        }
        #expect(encoding(wide, zeros: 2) == .float32)
        #expect(encoding(wide, zeros: 3) == .maskedFloat32)
        #expect(encoding(1, zeros: 4) == .bfloat16)
        #expect(encoding(1, zeros: 5) == .maskedBFloat16)
    }

    @Test func everyElementIsWrittenWhateverWasThere() {
        let packed = pack([Float](repeating: 0, count: 100))
        #expect(packed.bytes == [UInt8](repeating: 0, count: 16))
        #expect(unpacked(packed.bytes, packed.encoding, elementCount: 100) == [UInt32](repeating: 0, count: 100))
    }

    @Test func bytesThatAreNoRowAreRefused() {
        var row = [Float](repeating: 0, count: 70)
        (row[3], row[69]) = (1, 2)
        let bytes = pack(row).bytes
        func refuses(_ change: (inout [UInt8]) -> Void) -> Bool {
            var changed = bytes
            change(&changed)
            return unpacked(changed, .maskedBFloat16, elementCount: 70) == nil
        }
        #expect(!refuses { _ in })
        #expect(refuses { $0[0] = 0 }, "a bit less than there are values")
        #expect(refuses { $0[0] = 0xFF }, "more bits than values")
        #expect(refuses { ($0[0], $0[8]) = (0, 0x60) }, "a bit behind the last element")
        #expect(refuses { ($0[0], $0[15]) = (0, 0x80) }, "the last bit of the mask")
        #expect(refuses { $0.removeLast(2) }, "a value less")
        #expect(refuses { $0.removeLast() }, "half a value")
        #expect(refuses { $0 += [0, 0] }, "a value more")
        #expect(refuses { $0 = Array($0.prefix(15)) }, "half a mask")
        #expect(refuses { $0 = [] }, "nothing")
        #expect(unpacked([0, 0, 0], .float32, elementCount: 1) == nil)
        #expect(unpacked([0, 0, 0, 0], .bfloat16, elementCount: 1) == nil)
    }

    private struct Packed: Equatable {
        let encoding: RowEncoding
        let bytes: [UInt8]
    }

    private func pack(_ row: [Float]) -> Packed {
        let packer = RowPacker(elementCount: row.count)
        return row.withUnsafeBytes { row in
            let (encoding, bytes) = packer.pack(row)
            return Packed(encoding: encoding, bytes: Array(bytes))
        }
    }

    /// The row's bits, unpacked from memory without a byte to spare at an odd address; `nil` where it is refused.
    private func unpacked(_ bytes: [UInt8], _ encoding: RowEncoding, elementCount: Int) -> [UInt32]? {
        var row = [UInt32](repeating: 0xDEAD_BEEF, count: elementCount)
        let shifted = [0] + bytes
        let isRow = row.withUnsafeMutableBytes { row in
            shifted.withUnsafeBytes { encoding.unpack(UnsafeRawBufferPointer(rebasing: $0[1...]), into: row) }
        }
        return isRow ? row : nil
    }
}
