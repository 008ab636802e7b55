import GraftTestSupport
import Testing

@testable import GraftFeatures

@Suite struct RowEncodingTests {
    /// Bits that are not +0.0, among them -0.0, infinities, quiet and signalling NaN with payloads, subnormal and largest
    /// numbers.
    private static func bits(_ random: inout SplitMix) -> UInt32 {
        let special: [UInt32] = [
            0x8000_0000, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0xFFC1_0000, 0x0000_0001, 0x8000_0001, 0x007F_FFFF,
            0x7F80_0001, 0xFFBF_FFFF, 0x7FC0_1234, 0x7F7F_FFFF,
        ]
        return random.chance(0.3) ? random.pick(special) : UInt32.random(in: 1 ... .max, using: &random)
    }

    @Test(arguments: [0, 1, 2, 3, 4, 5, 63, 64, 65, 127, 128, 129, 1000, 2048, 4097])
    func everyRowComesBackBitForBitInTheFewestBytes(elementCount: Int) {
        var random = SplitMix(seed: UInt64(elementCount))
        let packer = RowPacker(elementCount: elementCount)
        for share in [0, 0.01, 0.14, 0.5, 0.9, 0.97, 0.99, 1] {
            let row = (0..<elementCount).map { _ in random.chance(share) ? Self.bits(&random) : 0 }
            let (encoding, bytes) = row.withUnsafeBytes { row in
                let (encoding, bytes) = packer.pack(row)
                return (encoding, Array(bytes))
            }
            #expect(unpacked(bytes, encoding, elementCount: elementCount) == row, "\(encoding) \(share)")
            let sizes = RowEncoding.allCases.map {
                $0.byteCount(elementCount: elementCount, valueCount: row.count { $0 != 0 })
            }
            #expect(bytes.count == sizes.min(), "\(encoding) \(share)")
        }
    }

    @Test func bytesStandWhereTheFormatSays() {
        var row = [Float](repeating: 0, count: 65)
        (row[0], row[9], row[64]) = (1, -0.0, Float(bitPattern: 0x0102_0304))
        let packed = pack(row)
        #expect(packed.encoding == .masked)
        let mask: [UInt8] = [1, 2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
        #expect(packed.bytes == mask + [0, 0, 0x80, 0x3F, 0, 0, 0, 0x80, 0x04, 0x03, 0x02, 0x01])
        #expect(pack([-2.5]) == Packed(encoding: .dense, bytes: [0x00, 0x00, 0x20, 0xC0]))
    }

    @Test func aMaskThatSavesNothingIsLeftOut() {
        // The mask of 64 elements has 8 bytes: as many as two values.
        func encoding(zeros: Int) -> RowEncoding {
            pack([Float](repeating: 1, count: 64 - zeros) + [Float](repeating: 0, count: zeros)).encoding
        }
        #expect(encoding(zeros: 2) == .dense)
        #expect(encoding(zeros: 3) == .masked)
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
            return unpacked(changed, .masked, elementCount: 70) == nil
        }
        #expect(!refuses { _ in })
        #expect(refuses { $0[0] = 0 }, "a bit less than there are values")
        #expect(refuses { $0[0] = 0xFF }, "more bits than values")
        #expect(refuses { ($0[0], $0[8]) = (0, 0x60) }, "a bit behind the last element")
        #expect(refuses { ($0[0], $0[15]) = (0, 0x80) }, "the last bit of the mask")
        #expect(refuses { $0.removeLast(4) }, "a value less")
        #expect(refuses { $0.removeLast(2) }, "half a value")
        #expect(refuses { $0 += [0, 0, 0, 0] }, "a value more")
        #expect(refuses { $0 = Array($0.prefix(15)) }, "half a mask")
        #expect(refuses { $0 = [] }, "nothing")
        #expect(unpacked([0, 0, 0], .dense, elementCount: 1) == nil)
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
