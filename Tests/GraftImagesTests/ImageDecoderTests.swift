import Foundation
import GraftData
import GraftGraph
import GraftTestSupport
import Testing

@testable import GraftImages

@Suite("ImageDecoder")
struct ImageDecoderTests {
    @Test("every format and peculiarity decodes to the expected pixels", arguments: ImageCase.all)
    func decodesToExpectedPixels(of picture: ImageCase) throws {
        let image = try ImageDecoder().decode(picture.bytes)
        #expect(image.height == picture.height)
        #expect(image.width == picture.width)
        #expect(image.channels == 3)
        try #require(image.pixels.count == picture.pixels.count)
        let differences = zip(image.pixels, picture.pixels).map { abs(Int($0) - Int($1)) }
        let worst = differences.max() ?? 0
        let position = differences.firstIndex(of: worst) ?? 0
        #expect(
            worst <= picture.tolerance,
            "value \(position): \(image.pixels[position]), expected \(picture.pixels[position])")
    }

    @Test("the extension plays no part")
    func readsByContent() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(ImageCase.named("rgb.png").bytes, to: "photo.jpg")
        #expect(try ImageDecoder().decode(contentsOf: path).pixels == Array(ImageCase.named("rgb.png").pixels))
    }

    @Test("a profile changes the colours of CMYK")
    func appliesProfilesToCMYK() throws {
        let plain = try ImageDecoder().decode(ImageCase.named("cmyk.jpg").bytes)
        let profiled = try ImageDecoder().decode(ImageCase.named("cmyk-profile.jpg").bytes)
        #expect(zip(plain.pixels, profiled.pixels).map { abs(Int($0) - Int($1)) }.max() ?? 0 > 20)
    }

    /// A picture of the documents, of 768 × 480 pixels.
    @Test("a JPEG is reduced as it is decoded to no less than twice the size, and looks the same")
    func reducesLargeJPEGs() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let bytes = [UInt8](try Data(contentsOf: root.appendingPathComponent("Documentation/images/leaves.jpg")))
        let whole = try ImageDecoder().decode(bytes)
        for (size, reduction) in [(whole.height / 4 + 1, 1), (whole.height / 8 + 1, 2), (whole.height / 16, 8)] {
            var rule = ImageRule(height: size, width: size, resize: .reduced)
            let reduced = try ImageDecoder(rule).decode(bytes)
            #expect(reduced.height == (whole.height + reduction - 1) / reduction)
            #expect(reduced.width == (whole.width + reduction - 1) / reduction)
            let fast = try ImageResizer(rule: rule).resized(reduced).scalars
            rule.resize = .antialias
            let expected = try ImageResizer(rule: rule).resized(whole).scalars
            // Lower frequencies of blocks of eight in place of a triangle over all pixels: another filter, by some units.
            let difference = zip(fast, expected).map { Double(abs($0 - $1)) }.reduce(0, +) / Double(fast.count)
            #expect(difference < 4, "\(difference) of 255 at \(size)")
        }
    }

    @Test("grey leaves colours out and has the channels that were asked for")
    func leavesColoursOut() throws {
        let picture = try ImageCase.named("rgb.png")
        let grey = try ImageDecoder(channels: 1).decode(picture.bytes)
        let three = try ImageDecoder(channels: 3, isGrey: true).decode(picture.bytes)
        #expect(three.pixels == grey.pixels.flatMap { [$0, $0, $0] })
    }

    /// From 100 − ½ − 25 = 74.5 to 124.5 the values go from 0 to 255.
    @Test("a window takes values to black and white, in every format", arguments: ["rgb.png", "rgb.bmp"])
    func takesValuesThroughAWindow(_ file: String) throws {
        let picture = try ImageCase.named(file)
        let window = try IntensityWindow(center: 100, width: 51)
        let image = try ImageDecoder(window: window).decode(picture.bytes)
        for (value, stored) in zip(image.pixels, picture.pixels) {
            let expected = min(max((Double(stored) - 74.5) * 5.1, 0), 255)
            #expect(abs(Double(value) - expected) <= 1, "\(stored) became \(value)")
        }
    }

    /// DICOM's function: black up to center − ½, white above.
    @Test("a window of width 1 is a threshold, in every format", arguments: ["rgb.png", "rgb.bmp"])
    func aNarrowWindowIsAThreshold(_ file: String) throws {
        let picture = try ImageCase.named(file)
        let image = try ImageDecoder(window: IntensityWindow(center: 100.5, width: 1)).decode(picture.bytes)
        #expect(image.pixels == picture.pixels.map { $0 <= 100 ? 0 : 255 })
    }

    @Test(
        "one channel is the brightness 0.299 R + 0.587 G + 0.114 B", arguments: ["rgb.png", "rgb.bmp", "rgb-alpha.png"])
    func decodesToGrey(_ file: String) throws {
        let picture = try ImageCase.named(file)
        let grey = try ImageDecoder(channels: 1).decode(picture.bytes)
        let colours = [UInt8](picture.pixels)
        let expected = (0..<(picture.height * picture.width)).map { pixel in
            let (red, green, blue) = (colours[3 * pixel], colours[3 * pixel + 1], colours[3 * pixel + 2])
            return (0.299 * Double(red) + 0.587 * Double(green) + 0.114 * Double(blue)).rounded()
        }
        #expect(grey.channels == 1)
        #expect(grey.pixels.map(Double.init) == expected)
    }

    @Test("a JPEG's brightness comes from the file, within what rounding its colours loses")
    func decodesJPEGToGrey() throws {
        let picture = try ImageCase.named("444.jpg")
        let grey = try ImageDecoder(channels: 1).decode(picture.bytes)
        let colours = [UInt8](picture.pixels).map(Double.init)
        for pixel in 0..<(picture.height * picture.width) {
            let luma = 0.299 * colours[3 * pixel] + 0.587 * colours[3 * pixel + 1] + 0.114 * colours[3 * pixel + 2]
            #expect(abs(Double(grey.pixels[pixel]) - luma) <= 3, "pixel \(pixel)")
        }
    }

    @Test("other numbers of channels are refused", arguments: [-1, 0, 2, 4])
    func refusesOtherChannels(_ channels: Int) {
        #expect(throws: GraftError.self) { try ImageDecoder(channels: channels) }
    }

    @Test("many threads decode the same pictures to the same pixels, beside others that fail")
    func decodesFromManyThreads() throws {
        let pictures = ImageCase.all
        let decoder = try ImageDecoder()
        let alone = try pictures.map { try decoder.decode($0.bytes) }
        let truncated = pictures.map { Array($0.bytes.prefix($0.bytes.count / 2)) }
        ParallelWork.perform(count: 400, threads: 8) { number in
            let index = number % pictures.count
            if number % 5 == 0 { _ = try? decoder.decode(truncated[index]) }
            let image = try? decoder.decode(pictures[index].bytes)
            #expect(image == alone[index], "\(pictures[index].file)")
        }
    }
}

@Suite("What no decoder can read")
struct DamagedImageTests {
    struct Refusal: Sendable, CustomTestStringConvertible {
        let id: String
        let bytes: [UInt8]
        let message: String
        var testDescription: String { id }
    }

    static let refusals = [
        Refusal(id: "empty", bytes: [], message: "the file is empty (0 bytes)"),
        Refusal(
            id: "text", bytes: Array("<!DOCTYPE html><html>not found</html>".utf8),
            message: "it begins with the text \"<!DOCTYPE html><…\", which is no picture that Graft reads "
                + "(JPEG, PNG, BMP, GIF, WebP, TIFF, HEIF, DICOM)"),
        Refusal(
            id: "bytes", bytes: [0, 1, 2, 3, 0xFF],
            message: "it begins with the bytes 00 01 02 03 ff, which is no picture that Graft reads "
                + "(JPEG, PNG, BMP, GIF, WebP, TIFF, HEIF, DICOM)"),
        Refusal(
            id: "text that begins like a bitmap", bytes: Array("BMW cars and other things".utf8),
            message: "it begins with the text \"BMW cars and oth…\", which is no picture that Graft reads "
                + "(JPEG, PNG, BMP, GIF, WebP, TIFF, HEIF, DICOM)"),
        Refusal(
            id: "only a signature", bytes: [0xFF, 0xD8, 0xFF, 0xE0],
            message: "it is not a whole JPEG picture: the file ends in the middle of the header"),
        Refusal(
            id: "a bitmap of two gigapixels", bytes: hugeBitmap,
            message: "it declares 65535 × 32768 pixels, more than the 100 megapixels that Graft decodes; "
                + "scale it down first"),
        Refusal(
            id: "a PNG of four gigapixels", bytes: hugePNG,
            message: "it is not a whole PNG picture: it declares 65535 × 65535 pixels, more than the 100 megapixels "
                + "that Graft decodes; scale it down first"),
        Refusal(
            id: "a JPEG of four gigapixels", bytes: hugeJPEG,
            message: "it declares 65000 × 65000 pixels, more than the 100 megapixels that Graft decodes; "
                + "scale it down first"),
    ]

    /// The committed bitmap with another size in its header.
    private static var hugeBitmap: [UInt8] {
        var bytes = bitmap(width: 1, height: 1) { _ in 0 }
        bytes.replaceSubrange(18..<26, with: [0xFF, 0xFF, 0, 0, 0, 0x80, 0, 0])
        return bytes
    }

    private static var hugePNG: [UInt8] {
        var bytes = Fixtures.bytes("pictures/rgb.png")
        bytes.replaceSubrange(16..<24, with: [0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF])
        // The checksum of the changed header.
        let checksum = crc32(bytes[12..<29])
        bytes.replaceSubrange(29..<33, with: (0..<4).map { UInt8(truncatingIfNeeded: checksum >> (24 - 8 * $0)) })
        return bytes
    }

    private static var hugeJPEG: [UInt8] {
        var bytes = Fixtures.bytes("pictures/444.jpg")
        guard let frame = bytes.indices.first(where: { bytes[$0...].starts(with: [0xFF, 0xC0]) }) else { return [] }
        bytes.replaceSubrange((frame + 5)..<(frame + 9), with: [0xFD, 0xE8, 0xFD, 0xE8])
        return bytes
    }

    private static func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        ~bytes.reduce(0xFFFF_FFFF) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
        }
    }

    @Test("each refusal says what was found", arguments: refusals)
    func explains(_ refusal: Refusal) throws {
        let error = #expect(throws: GraftError.self) { try ImageDecoder().decode(refusal.bytes) }
        #expect(error?.code == .image)
        #expect(error?.message == refusal.message)
    }

    @Test("a file that is not there, a folder and a pipe are named")
    func namesFiles() throws {
        let folder = try TemporaryFolder()
        let pipe = folder.path + "/pipe.jpg"
        #expect(mkfifo(pipe, 0o600) == 0)
        let cases = [
            (folder.path + "/none.jpg", "cannot be opened: No such file or directory"),
            (folder.path, "is not a regular file but a folder"),
            (pipe, "is not a regular file but a pipe"),
        ]
        for (path, message) in cases {
            let error = #expect(throws: GraftError.self) { try ImageDecoder().decode(contentsOf: path) }
            #expect(error?.code == .file)
            #expect(error?.message == "\(path): \(message)")
        }
    }

    /// The last bytes of some formats are padding, an end mark or a checksum that readers may do without; what is cut
    /// there must decode to the whole picture or throw, and all shorter files must throw.
    @Test("a file cut at any of a hundred places throws or is the whole picture", arguments: ImageCase.all)
    func refusesTruncation(of picture: ImageCase) throws {
        let bytes = picture.bytes
        let decoder = try ImageDecoder()
        let whole = try decoder.decode(bytes)
        let spread = stride(from: 0, to: bytes.count - 16, by: 1 + bytes.count / 80)
        let lengths = [Int](spread) + [Int]((bytes.count - 16)..<bytes.count)
        for count in lengths {
            let image: DecodedImage
            do throws(GraftError) {
                image = try decoder.decode(Array(bytes.prefix(count)))
            } catch {
                #expect(error.code == .image, "\(count) of \(bytes.count) bytes: \(error)")
                continue
            }
            #expect(image == whole, "\(count) of \(bytes.count) bytes decoded to another picture")
        }
    }

    @Test("flipped bits never crash", arguments: ImageCase.all)
    func survivesFlippedBits(in picture: ImageCase) throws {
        var generator = SplitMix(seed: 7)
        let decoder = try ImageDecoder()
        for _ in 0..<12 {
            var bytes = picture.bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let position = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            }
            if let image = try? decoder.decode(bytes) {
                #expect(image.pixels.count == image.height * image.width * 3)
            }
        }
    }
}
