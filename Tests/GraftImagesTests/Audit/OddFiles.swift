import GraftImages

/// Files of every kind that a person's folder may hold, each with what an audit must say of it.
struct OddFile: Sendable {
    let name: String
    let bytes: [UInt8]
    let kinds: Set<ImageFinding.Kind>

    init(_ name: String, _ bytes: [UInt8], _ kinds: Set<ImageFinding.Kind>) {
        (self.name, self.bytes, self.kinds) = (name, bytes, kinds)
    }

    static let all = good + empty + noImages + truncated + unreadable + tooLarge + notes

    private static func picture(_ name: String) -> [UInt8] { Fixtures.bytes("pictures/\(name)") }

    // The pictures beside the tests are 24 × 18 pixels or so, and therefore tiny too.
    private static let jpeg = picture("444.jpg")

    private static let good: [OddFile] = [
        OddFile("good.png", DrawnFile.png(1), []), OddFile("good.gif", DrawnFile.gif(2), []),
        OddFile("good.tif", DrawnFile.tiff(3), []), OddFile("GOOD.TIFF", DrawnFile.tiff(4, channels: 1), []),
        OddFile("good grey.png", DrawnFile.png(5, colour: 0), []),
        OddFile("good.bmp", bitmap(width: 40, height: 36) { UInt8(truncatingIfNeeded: $0 * $0 / 97) }, []),
    ]

    private static let empty: [OddFile] = ["zero.jpg", "zero.png", "zero.gif", "zero.webp", "zero.heic"].map {
        OddFile($0, [], [.empty])
    }

    private static let noImages: [OddFile] = [
        OddFile("text.jpg", Array("these are not the pixels you are looking for\n".utf8), [.notAnImage]),
        OddFile("page.jpg", Array("<!DOCTYPE html><html><title>404</title>".utf8), [.notAnImage]),
        OddFile("reply.png", Array(#"{"error": "not found"}"#.utf8), [.notAnImage]),
        OddFile("drawing.png", Array("<svg xmlns='http://www.w3.org/2000/svg'/>".utf8), [.notAnImage]),
        OddFile("paper.jpg", Array("%PDF-1.7\n%\u{e2}".utf8), [.notAnImage]),
        OddFile("archive.jpeg", [0x50, 0x4B, 3, 4] + [UInt8](repeating: 7, count: 60), [.notAnImage]),
        OddFile(
            "film.heic", DrawnFile.big(24, 4) + Array("ftypisom".utf8) + [UInt8](repeating: 0, count: 40), [.notAnImage]
        ),
        OddFile("sound.webp", Array("RIFF".utf8) + DrawnFile.little(36, 4) + Array("WAVEfmt ".utf8), [.notAnImage]),
        OddFile("car.bmp", Array("BMW builds cars and motorcycles".utf8), [.notAnImage]),
        OddFile("packed.tif", [0x1F, 0x8B, 8, 0, 1, 2, 3, 4, 5, 6], [.notAnImage]),
        OddFile("terminal.png", Array("\u{1B}[2J\u{1B}]0;owned\u{7}".utf8), [.notAnImage]),
        OddFile("wide.gif", [0xFF, 0xFE, 0x47, 0, 0x49, 0, 0x46, 0], [.notAnImage]),
        OddFile("letter.dcm", Array("Dear patient,".utf8), [.notAnImage]),
        OddFile("byte.jpg", [0xFF], [.notAnImage]), OddFile("two.jpg", [0xFF, 0xD8], [.notAnImage]),
        OddFile("zeros.png", [UInt8](repeating: 0, count: 4096), [.notAnImage]),
        OddFile("pointer.png", Array("version https://git-lfs.github.com/spec/v1\n".utf8), [.notAnImage]),
    ]

    private static let truncated: [OddFile] = [
        OddFile("start.jpg", Array(jpeg[..<3]), [.truncated]), OddFile("header.jpg", Array(jpeg[..<20]), [.truncated]),
        OddFile("half.jpg", jpeg.cut(0.6), [.truncated]), OddFile("most.jpg", jpeg.cut(0.9), [.truncated]),
        OddFile("progressive.jpg", picture("progressive.jpg").cut(0.5), [.truncated]),
        OddFile("signature.png", DrawnFile.pngSignature, [.truncated]),
        OddFile("header.png", Array(DrawnFile.png(6)[..<33]), [.truncated]),
        OddFile("third.png", DrawnFile.png(7).cut(0.3), [.truncated]),
        OddFile("most.png", DrawnFile.png(8).cut(0.9), [.truncated]),
        OddFile("header.gif", Array(DrawnFile.gif(9)[..<13]), [.truncated]),
        OddFile("half.gif", DrawnFile.gif(10).cut(0.7), [.truncated]),
        OddFile("half.webp", picture("lossy.webp").cut(0.5), [.truncated]),
        OddFile("lossless.webp", picture("lossless.webp").cut(0.8), [.truncated]),
        OddFile("header.tif", Array(DrawnFile.tiff(11)[..<8]), [.truncated]),
        OddFile("half.tif", DrawnFile.tiff(12).cut(0.5), [.truncated]),
        OddFile(
            "header.bmp", Array(bitmap(width: 40, height: 40) { UInt8(truncatingIfNeeded: $0) }[..<30]), [.truncated]),
        OddFile("half.bmp", bitmap(width: 40, height: 40) { UInt8(truncatingIfNeeded: $0) }.cut(0.5), [.truncated]),
        OddFile("brand.heic", DrawnFile.big(32, 4) + Array("ftypheic".utf8), [.truncated]),
    ]

    private static let unreadable: [OddFile] = [
        OddFile("checksum.png", DrawnFile.png(13).with([1, 2, 3], at: 300), [.unreadable]),
        OddFile(
            "nothing.png",
            DrawnFile.pngSignature + DrawnFile.chunk("IHDR", DrawnFile.big(0, 8) + [8, 2, 0, 0, 0])
                + DrawnFile.chunk("IEND", []), [.unreadable]),
        OddFile("seven.bmp", bitmap(width: 40, height: 40) { _ in 9 }.with([7, 0], at: 28), [.unreadable]),
        OddFile("flat.bmp", bitmap(width: 40, height: 40) { _ in 9 }.with([0, 0, 0, 0], at: 18), [.unreadable]),
        OddFile("bare.tif", [0x49, 0x49, 0x2A, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0], [.unreadable]),
        OddFile("noise.webp", picture("lossy.webp").with([UInt8](repeating: 0xA5, count: 12), at: 20), [.unreadable]),
        OddFile(
            "tables.jpg", Array(jpeg[..<2]) + [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0] + jpeg.suffix(60), [.unreadable]),
        OddFile("boxes.heic", DrawnFile.big(16, 4) + Array("ftypheic".utf8) + DrawnFile.big(0, 4), [.unreadable]),
    ]

    private static let tooLarge: [OddFile] = [
        OddFile(
            "bomb.png",
            DrawnFile.pngSignature
                + DrawnFile.chunk("IHDR", DrawnFile.big(90_000, 4) + DrawnFile.big(90_000, 4) + [1, 0, 0, 0, 0])
                + DrawnFile.chunk("IDAT", DrawnFile.stored([0])) + DrawnFile.chunk("IEND", []), [.tooLarge]),
        OddFile("bomb.jpg", DrawnFile.jpeg(jpeg, declaring: 65_000, 65_000), [.tooLarge]),
        OddFile(
            "bomb.bmp",
            bitmap(width: 40, height: 40) { _ in 9 }.with(
                DrawnFile.little(60_000, 4) + DrawnFile.little(60_000, 4), at: 18),
            [.tooLarge]),
        OddFile("bomb.tif", DrawnFile.tiff(14, declaredWidth: 5_000_000), [.tooLarge]),
    ]

    private static let notes: [OddFile] =
        [
            OddFile("really-png.jpg", DrawnFile.png(15), [.otherFormat]),
            OddFile("really-gif.png", DrawnFile.gif(16), [.otherFormat]),
            OddFile("really-tiff.jpeg", DrawnFile.tiff(17), [.otherFormat]),
            OddFile("really-jpeg.png", jpeg, [.otherFormat, .tiny]),
            OddFile("really-webp.gif", picture("lossy.webp"), [.otherFormat, .tiny]),
            OddFile("cmyk.jpg", picture("cmyk.jpg"), [.cmyk, .tiny]),
            OddFile("profile.jpg", picture("cmyk-profile.jpg"), [.cmyk, .tiny]),
            OddFile("inks.tif", DrawnFile.tiff(18, channels: 4, inks: true), [.cmyk]),
            OddFile("deep.png", DrawnFile.png(19, bits: 16), [.sixteenBits]),
            OddFile("deep-grey.png", DrawnFile.png(20, bits: 16, colour: 0), [.sixteenBits]),
            OddFile("deep.tif", DrawnFile.tiff(21, bits: 16), [.sixteenBits]),
            OddFile("moves.gif", DrawnFile.gif(22, frames: 3), [.animated]),
            OddFile("moves.png", DrawnFile.png(23, frames: 2), [.animated]),
            OddFile("pages.tif", DrawnFile.tiff(24, pages: 3), [.animated]),
            OddFile("dot.png", DrawnFile.png(25, width: 1, height: 1), [.tiny]),
            OddFile("strip.png", DrawnFile.png(26, width: 300, height: 8), [.tiny]),
            OddFile("icon.gif", DrawnFile.gif(27, width: 16, height: 16), [.tiny]),
            OddFile("turned.tif", DrawnFile.tiff(28, orientation: 6), [.rotated]),
            OddFile("turned.webp", picture("orientation-6.webp"), [.rotated, .tiny]),
            OddFile(
                "all.jpg", DrawnFile.tiff(29, channels: 4, bits: 16, inks: true, pages: 2, orientation: 3),
                [.otherFormat, .cmyk, .sixteenBits, .animated, .rotated]),
        ]
        + (1...8).map {
            OddFile("held-\($0).jpg", DrawnFile.jpeg(jpeg, orientation: $0), $0 == 1 ? [.tiny] : [.rotated, .tiny])
        }
        + [OddFile("held-99.jpg", DrawnFile.jpeg(jpeg, orientation: 99), [.tiny])]
}
