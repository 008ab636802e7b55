import GraftData
import GraftGraph
import Testing

@testable import GraftImages

/// Files made by hand, with pixels worked out by hand.
@Suite struct DICOMImageTests {
    private func greys(_ file: DICOMBytes, window: IntensityWindow? = nil) throws -> [UInt8] {
        try ImageDecoder(channels: 1, window: window).decode(file.bytes).pixels
    }

    @Test func withoutAWindowTheFramesRangeIsBlackToWhite() throws {
        let file = DICOMBytes(pixels: DICOMBytes.words([100, 200, 300, 300, 200, 150]))
        // (200 − 100) / 200 · 255 = 127.5 and 63.75.
        #expect(try greys(file) == [0, 128, 255, 255, 128, 64])
    }

    @Test func eightBitsAreTakenAsTheyAre() throws {
        let file = DICOMBytes(bitsAllocated: 8, bitsStored: 8, pixels: [0, 7, 100, 200, 254, 255])
        #expect(try greys(file) == [0, 7, 100, 200, 254, 255])
    }

    @Test func aWindowIsOfTheModalitysUnits() throws {
        // −1024 + 2 x: −1000, −160, 40, 239, 240, 2000. From 40 − ½ − 199.5 = −160 to 239 they go from 0 to 255.
        let file = DICOMBytes(
            isSigned: true,
            others: [(.rescaleIntercept, "DS", Array("-1024".utf8)), (.rescaleSlope, "DS", Array("2".utf8))],
            pixels: DICOMBytes.words([12, 432, 532, 631, 632, 1512]))
        #expect(try greys(file, window: IntensityWindow(center: 40, width: 400)) == [0, 0, 128, 254, 255, 255])
    }

    @Test func theFilesOwnWindowIsTheFirstOfThem() throws {
        var file = DICOMBytes(
            others: [(.windowCenter, "DS", Array("128\\40".utf8)), (.windowWidth, "DS", Array("256\\400".utf8))],
            pixels: DICOMBytes.words([0, 1, 64, 128, 255, 4000]))
        #expect(try greys(file) == [0, 1, 64, 128, 255, 255])
        file.photometric = "MONOCHROME1"
        #expect(try greys(file) == [255, 254, 191, 127, 0, 0])
    }

    @Test func bitsThatAreNotStoredAreLeftOut() throws {
        // Overlays of old files stand in the upper four bits; −1 of twelve bits is 0x0FFF.
        let file = DICOMBytes(
            bitsStored: 12, isSigned: true, pixels: DICOMBytes.words([0xF000, 0x0FFF, 0xA001, 0x0002, 0xFFFF, 0x1000]))
        // From −1 to 2: 0, −1, 1, 2, −1, 0.
        #expect(try greys(file) == [85, 0, 170, 255, 0, 85])
    }

    @Test func runLengthsAreExpanded() throws {
        // The upper bytes are 1, 1, 1, 0, 0, 0, the lower ones 0, 0, 0, 5, 6, 7.
        let upper: [UInt8] = [254, 1, 254, 0], lower: [UInt8] = [254, 0, 2, 5, 6, 7]
        let header = [2, 64, 64 + upper.count] + [Int](repeating: 0, count: 13)
        let fragment = header.flatMap { DICOMBytes.number($0, 4) } + upper + lower
        let file = DICOMBytes(identifier: "1.2.840.10008.1.2.5", fragments: [fragment])
        let window = try IntensityWindow(center: 128, width: 256)
        #expect(try greys(file, window: window) == [255, 255, 255, 5, 6, 7])
    }

    @Test func coloursComeFromPlanesAndPalettes() throws {
        let planes = DICOMBytes(
            rows: 1, columns: 2, samples: 3, photometric: "RGB", bitsAllocated: 8, bitsStored: 8,
            others: [(.planarConfiguration, "US", [1, 0])], pixels: [1, 2, 3, 4, 5, 6])
        #expect(try ImageDecoder().decode(planes.bytes).pixels == [1, 3, 5, 2, 4, 6])
        let descriptor = DICOMBytes.words([3, 10, 16])
        var palette = DICOMBytes(
            rows: 1, columns: 4, photometric: "PALETTE COLOR", bitsAllocated: 8, bitsStored: 8,
            pixels: [9, 10, 11, 200])
        for (position, tag) in DICOMTag.paletteDescriptors.enumerated() {
            palette.others.append((tag, "US", descriptor))
            let values = [0x0100, 0x2000, 0xFF00].map { $0 + position * 0x0100 & 0xFFFF }
            palette.others.append((DICOMTag.paletteData[position], "OW", DICOMBytes.words(values)))
        }
        #expect(try ImageDecoder().decode(palette.bytes).pixels == [1, 2, 3, 1, 2, 3, 0x20, 0x21, 0x22, 255, 0, 1])
    }

    @Test func colourTelevisionBecomesRGB() throws {
        // Full range: white, and red, whose brightness is 0.299 · 255 = 76, Cb 85, Cr 255.
        let full = DICOMBytes(
            rows: 1, columns: 2, samples: 3, photometric: "YBR_FULL", bitsAllocated: 8, bitsStored: 8,
            pixels: [255, 128, 128, 76, 85, 255])
        #expect(try ImageDecoder().decode(full.bytes).pixels == [255, 255, 255, 254, 0, 0])
        let half = DICOMBytes(
            rows: 1, columns: 2, samples: 3, photometric: "YBR_FULL_422", bitsAllocated: 8, bitsStored: 8,
            pixels: [255, 0, 128, 128])
        #expect(try ImageDecoder().decode(half.bytes).pixels == [255, 255, 255, 0, 0, 0])
    }

    /// An element whose sequence holds another one, both of lengths that are not said, before the pixels.
    @Test func sequencesArePassedOver() throws {
        let inner = DICOMBytes.tag(DICOMTag(0x0008, 0x1199)) + Array("SQ".utf8) + [0, 0, 0xFF, 0xFF, 0xFF, 0xFF]
        let item = DICOMBytes.tag(.item) + [0xFF, 0xFF, 0xFF, 0xFF]
        let itemEnd = DICOMBytes.tag(.itemEnd) + [0, 0, 0, 0], end = DICOMBytes.tag(.sequenceEnd) + [0, 0, 0, 0]
        let row = DICOMBytes.word(.rows, 999)
        let sequence = DICOMBytes.tag(DICOMTag(0x0028, 0x9001)) + inner.dropFirst(4)
        let nested = sequence + item + row + inner + item + row + itemEnd + end + itemEnd + end
        var file = DICOMBytes(bitsAllocated: 8, bitsStored: 8, pixels: [1, 2, 3, 4, 5, 6]).bytes
        let pixels = DICOMBytes.element(.pixelData, "OW", [1, 2, 3, 4, 5, 6])
        file.insert(contentsOf: nested, at: file.count - pixels.count)
        #expect(try ImageDecoder(channels: 1).decode(file).pixels == [1, 2, 3, 4, 5, 6])
    }

    @Test(
        arguments: [
            (DICOMBytes(pixels: [1, 2, 3]), "its pixels end after 4 of 12 bytes"),
            (DICOMBytes(rows: 0), "it declares 3 × 0 pixels; both must be at least 1"),
            (DICOMBytes(rows: 65535, columns: 65535), "it declares 65535 × 65535 pixels, more than the 100 megapixels"),
            (DICOMBytes(photometric: "HSV"), "its pixels are 'HSV' with 1 values each, which Graft does not read"),
            (DICOMBytes(samples: 4, photometric: "RGB"), "its pixels are 'RGB' with 4 values each"),
            (
                DICOMBytes(samples: 3, photometric: "YBR_FULL_422", bitsAllocated: 16),
                "its pixels are YBR_FULL_422 of 16 bits a value, which Graft does not read"
            ),
            (
                DICOMBytes(
                    identifier: "1.2.840.10008.1.2.5", samples: 3, photometric: "YBR_FULL_422", bitsAllocated: 8,
                    bitsStored: 8),
                "its pixels are YBR_FULL_422 of 8 bits a value"
            ),
            (DICOMBytes(bitsAllocated: 24), "its values have 16 of 24 bits"),
            (DICOMBytes(bitsAllocated: 8, bitsStored: 9), "its values have 9 of 8 bits"),
            (
                DICOMBytes(identifier: "1.2.840.10008.1.2.4.80", fragments: [[1, 2]]),
                "its pixels are stored by JPEG-LS, which Graft does not read; convert it without compression"
            ),
            (
                DICOMBytes(identifier: "1.2.840.10008.1.2.5", fragments: [[UInt8](repeating: 0, count: 64)]),
                "its run lengths do not have a segment for each byte of a value"
            ),
            (DICOMBytes(identifier: "1.2.840.10008.1.2.5", fragments: []), "its pixels are empty"),
            (
                DICOMBytes(photometric: "PALETTE COLOR", pixels: [UInt8](repeating: 0, count: 12)),
                "one of its three tables of colours is missing"
            ),
        ])
    func whatCannotBeReadIsSaid(_ file: DICOMBytes, words: String) throws {
        let error = #expect(throws: GraftError.self) { try ImageDecoder().decode(file.bytes) }
        #expect(error?.code == .image)
        #expect(error?.message.hasPrefix(words) == true, "\(error?.message ?? "")")
    }

    /// Every prefix, and every byte changed: an image or an error, never a trap.
    @Test func damageNeverTraps() throws {
        let upper: [UInt8] = [254, 1, 254, 0], lower: [UInt8] = [254, 0, 2, 5, 6, 7]
        let header = [2, 64, 64 + upper.count] + [Int](repeating: 0, count: 13)
        let fragment = header.flatMap { DICOMBytes.number($0, 4) } + upper + lower
        let files = [
            DICOMBytes(pixels: DICOMBytes.words([1, 2, 3, 4, 5, 6])).bytes,
            DICOMBytes(identifier: "1.2.840.10008.1.2.5", fragments: [fragment]).bytes,
        ]
        let decoder = try ImageDecoder(channels: 1)
        var failures = 0
        for photometric in ["YBR_FULL_422", "YBR_FULL", "RGB", "PALETTE COLOR", "MONOCHROME1"] {
            for bits in [1, 8, 16, 32] {
                let file = DICOMBytes(
                    rows: 1, columns: 3,
                    samples: photometric == "PALETTE COLOR" || photometric == "MONOCHROME1" ? 1 : 3,
                    photometric: photometric, bitsAllocated: bits, bitsStored: bits, isSigned: true,
                    others: [(.planarConfiguration, "US", [1, 0])], pixels: [UInt8](repeating: 200, count: 36))
                _ = try? decoder.decode(file.bytes)
            }
        }
        for file in files {
            for length in 132..<file.count where (try? decoder.decode(Array(file.prefix(length)))) == nil {
                failures += 1
            }
            for position in 128..<file.count {
                for value: UInt8 in [0, 1, 0x7F, 0xFF] {
                    var changed = file
                    changed[position] = value
                    if (try? decoder.decode(changed)) == nil { failures += 1 }
                }
            }
        }
        #expect(failures > 100)
    }
}
