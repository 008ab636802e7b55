import Dispatch
import Foundation
import GraftData
import GraftGraph
import GraftTestSupport
import Synchronization
import Testing

@testable import GraftImages

/// Images of few bytes that would take much memory or time.
@Suite(.timeLimit(.minutes(10))) struct CraftedImagesTests {
    enum Crafted: String, CaseIterable, Codable, Sendable {
        case webP, interlacedPNG, png, tiff, progressiveJPEG

        /// A file whose header declares a hundred megapixels, and which has no pixels.
        var bytes: [UInt8] {
            switch self {
            case .webP: CraftedImagesTests.webP(side: 10_000)
            case .interlacedPNG: CraftedImagesTests.png(side: 10_000, bits: 16, colour: 6, isInterlaced: true)
            case .png: CraftedImagesTests.png(side: 10_000, bits: 16, colour: 6, isInterlaced: false)
            case .tiff: CraftedImagesTests.floatTIFF(side: 10_000)
            case .progressiveJPEG: CraftedImagesTests.jpeg(side: 10_000)
            }
        }

        var message: String {
            switch self {
            case .webP:
                "decoding its 10000 × 10000 pixels takes 1100 MB, more than the 300 MB that Graft gives an image"
            case .interlacedPNG: "decoding its 10000 × 10000 pixels takes 1100 MB"
            case .png: "it is not a whole PNG picture: "
            case .tiff: "decoding its 10000 × 10000 pixels takes 1500 MB"
            case .progressiveJPEG: "decoding its 10000 × 10000 pixels takes 6"
            }
        }
    }

    @Test(arguments: Crafted.allCases) func imagesCostNoMoreThanIsSaid(crafted: Crafted) async {
        await #expect(processExitsWith: .success) { [crafted = crafted as Crafted] in
            // libvips is started before.
            _ = try ImageDecoder().decode(Fixtures.bytes("pictures/rgb.png"))
            let bytes = crafted.bytes
            var message = "no error"
            let costs = Costs {
                do throws(GraftError) { _ = try ImageDecoder().decode(bytes) } catch { message = error.message }
            }
            #expect(message.hasPrefix(crafted.message), "\(message)")
            // A picture that is decoded row by row is found to be cut short when the memory for it is there.
            #expect(
                costs.arePermitted(forFileOf: crafted == .png ? ImageDecoder.maximumMemory / 2 : bytes.count),
                "\(costs)")
        }
    }

    @Test func aPictureOfManyScansIsRefused() throws {
        let whole = Fixtures.bytes("pictures/progressive.jpg")
        let scan = try #require(Self.lastScan(of: whole))
        let end = whole.count - 2
        let more = [[UInt8]](repeating: Array(whole[scan..<end]), count: 99).flatMap { $0 }
        let error = #expect(throws: GraftError.self) { try ImageDecoder().decode(whole[..<end] + more + whole[end...]) }
        #expect(error?.message == "it is not a whole JPEG picture: it has more than 32 scans")
    }

    @Test func packedTextsOfAPNGAreNotUnpacked() throws {
        let plain = Fixtures.bytes("pictures/rgb.png")
        // Text that is no zlib stream, so that whoever unpacked it would complain; 8 + 25 bytes are signature and header.
        let bomb = Self.chunk("zTXt", Array("Comment".utf8) + [0, 0] + [UInt8](repeating: 7, count: 1000))
        let profile = Self.chunk("iCCP", Array("p".utf8) + [0, 0] + [UInt8](repeating: 7, count: 1000))
        let crafted = plain[..<33] + bomb + profile + plain[33...]
        #expect(PNGChunks.withoutTexts(Array(crafted)) == plain)
        #expect(PNGChunks.withoutTexts(plain) == plain)
        #expect(try ImageDecoder().decode(Array(crafted)) == ImageDecoder().decode(plain))
        for length in [0, 7, 8, 20, 33, 40] { _ = PNGChunks.withoutTexts(Array(plain.prefix(length))) }
    }

    /// 60 kB that would be padded to ten thousand million pixels.
    @Test func aNarrowImageIsNotPaddedWithoutBound() throws {
        let strip = bitmap(width: 20_000, height: 1) { UInt8(truncatingIfNeeded: $0) }
        let message = "decoding and padding its 20000 × 1 pixels takes 1200 MB, more than the 300 MB"
        for size in [Size2D(32, 32), Size2D(16_384, 1)] {
            let decoder = try ImageDecoder(ImageRule(height: size.height, width: size.width, fit: .pad))
            let error = #expect(throws: GraftError.self) { try decoder.decode(strip) }
            #expect(
                error?.message.hasPrefix(size.width == 1 ? "decoding and padding" : message) == true,
                "\(String(describing: error))")
        }
        let cropped = try ImageDecoder(ImageRule(height: 32, width: 32, fit: .crop))
        #expect(try cropped.decode(strip).width == 20_000)
    }

    /// Over all threads no more than the limit, whatever the sizes, and everybody has a turn.
    @Test func imagesWaitUntilThereIsMemory() {
        let memory = DecodingMemory(limit: 100)
        let most = Mutex(0)
        let now = Atomic(0)
        let done = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 64) { number in
            let size = [10, 60, 100, 1, 35][number % 5]
            memory.with(size) {
                let sum = now.add(size, ordering: .relaxed).newValue
                most.withLock { $0 = max($0, sum) }
                usleep(500)
                now.subtract(size, ordering: .relaxed)
            }
            done.add(1, ordering: .relaxed)
        }
        #expect(done.load(ordering: .relaxed) == 64 && memory.used == 0)
        #expect((1...100).contains(most.withLock { $0 }))
    }

    // MARK: Files

    /// Lossless, of 34 bytes.
    private static func webP(side: Int) -> [UInt8] {
        let size = UInt32(side - 1) | UInt32(side - 1) << 14
        let bits =
            [0x2F] + (0..<4).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) } + [UInt8](repeating: 0, count: 9)
        let length = [UInt8(bits.count), 0, 0, 0]
        return Array("RIFF".utf8) + [26, 0, 0, 0] + Array("WEBPVP8L".utf8) + length + bits
    }

    private static func png(side: Int, bits: UInt8, colour: UInt8, isInterlaced: Bool) -> [UInt8] {
        let size = bigEndian(UInt32(side))
        let header = chunk("IHDR", size + size + [bits, colour, 0, 0, isInterlaced ? 1 : 0])
        return [0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10] + header + chunk("IDAT", [0x78, 0x9C, 1, 0, 0])
            + chunk("IEND", [])
    }

    /// Three 32-bit floats a pixel, all in one strip.
    private static func floatTIFF(side: Int) -> [UInt8] {
        let tags: [(Int, Int, Int, Int)] = [
            (256, 4, 1, side), (257, 4, 1, side), (258, 3, 3, 200), (259, 3, 1, 8), (262, 3, 1, 2), (273, 4, 1, 220),
            (277, 3, 1, 3), (278, 4, 1, side), (279, 4, 1, 8), (284, 3, 1, 1), (339, 3, 3, 206),
        ]
        func number(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        var bytes: [UInt8] = [0x49, 0x49, 0x2A, 0, 8, 0, 0, 0] + number(tags.count, 2)
        for (tag, type, count, value) in tags {
            bytes += number(tag, 2) + number(type, 2)
            bytes += number(count, 4) + number(value, 4)
        }
        bytes += [UInt8](repeating: 0, count: 200 - bytes.count)
        for value in [32, 32, 32, 3, 3, 3] { bytes += number(value, 2) }
        return bytes + [UInt8](repeating: 0, count: 228 - bytes.count)
    }

    /// The committed progressive picture with another size in its header.
    private static func jpeg(side: Int) -> [UInt8] {
        var bytes = Fixtures.bytes("pictures/progressive.jpg")
        guard let frame = bytes.indices.dropLast().first(where: { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC2 }) else {
            return []
        }
        let size = [UInt8(side >> 8), UInt8(side & 0xFF)]
        bytes.replaceSubrange(frame + 5..<frame + 9, with: size + size)
        return bytes
    }

    /// Where the last scan begins.
    private static func lastScan(of bytes: [UInt8]) -> Int? {
        bytes.indices.dropLast().last { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xDA }
    }

    private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
        let named = Array(name.utf8) + content
        let sum = ~named.reduce(UInt32.max) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
        }
        return bigEndian(UInt32(content.count)) + named + bigEndian(sum)
    }

    private static func bigEndian(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }
}
