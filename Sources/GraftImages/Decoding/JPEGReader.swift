internal import CJPEG
import GraftGraph

/// Decodes JPEG with libjpeg-turbo, set as TensorFlow sets it.
///
/// libvips reads JPEG too, but with another inverse transform (values differ by up to 4), and it takes twice as long.
enum JPEGReader {
    /// What ``read(_:channels:atLeast:)`` takes, by the header.
    ///
    /// - Throws: `GraftError` with code `image` where there is no whole header, or the image is too large.
    static func cost(of bytes: [UInt8], channels: Int, atLeast least: Size2D?) throws(GraftError) -> DecodingCost {
        let header = try readHeader(bytes)
        var (height, width) = (Int(header.height), Int(header.width))
        try ImageDecoder.checkSize(width: width, height: height)
        if let least, header.components != 4 {
            let reduction = Self.reduction(height, width, atLeast: max(least.height, least.width))
            (height, width) = ((height + reduction - 1) / reduction, (width + reduction - 1) / reduction)
        }
        return DecodingCost(
            width: width, height: height, read: header.components == 4 ? 4 : channels,
            isTurned: JPEGMetadata(bytes).orientation != .upright, others: Int(clamping: header.coefficientByteCount))
    }

    /// Decodes to grey or RGB as asked for; CMYK stays CMYK, or becomes RGB through the profile in the file.
    ///
    /// - Parameter least: the rows and columns that grey and RGB may be reduced to, at least; `nil` for all of them.
    static func read(
        _ bytes: [UInt8], channels: Int, atLeast least: Size2D? = nil
    ) throws(GraftError) -> RawImage {
        let header = try readHeader(bytes)
        var height = Int(header.height)
        var width = Int(header.width)
        try ImageDecoder.checkSize(width: width, height: height)
        let metadata = JPEGMetadata(bytes)
        guard header.components == 4 else {
            let colours = channels == 1 ? GRAFT_JPEG_GREY : GRAFT_JPEG_RGB
            // An image on its side has the other one's rows.
            let reduction = least.map { Self.reduction(height, width, atLeast: max($0.height, $0.width)) } ?? 1
            (height, width) = ((height + reduction - 1) / reduction, (width + reduction - 1) / reduction)
            let pixels = try decode(bytes, to: colours, pixelCount: height * width, reduction: reduction)
            return RawImage(
                height: height, width: width, layout: channels == 1 ? .grey : .rgb, pixels: pixels,
                orientation: metadata.orientation)
        }
        if metadata.hasColourProfile, let converted = try? VipsReader.read(bytes, as: .jpeg) {
            return RawImage(
                height: converted.height, width: converted.width, layout: converted.layout, pixels: converted.pixels,
                orientation: metadata.orientation)
        }
        var inks = try decode(bytes, to: GRAFT_JPEG_CMYK, pixelCount: height * width)
        if header.inverted != 0 {
            for index in inks.indices { inks[index] = 255 - inks[index] }
        }
        return RawImage(height: height, width: width, layout: .cmyk, pixels: inks, orientation: metadata.orientation)
    }

    /// What the header says.
    static func facts(of bytes: [UInt8]) throws(GraftError) -> ImageFacts {
        let header = try readHeader(bytes)
        return ImageFacts(
            format: .jpeg, width: Int(header.width), height: Int(header.height), isCMYK: header.components == 4,
            orientation: JPEGMetadata(bytes).orientation)
    }

    /// The brightness of an image of 1 or 3 components, as it is stored, each side 1/2, 1/4 or 1/8 as long where both then have
    /// at least `side` pixels, and how often libjpeg found the data wrong and went on.
    static func smallGrey(
        _ bytes: [UInt8], _ facts: ImageFacts, side: Int
    ) throws(GraftError) -> (image: DecodedImage, warnings: Int) {
        let reduction = Self.reduction(facts.height, facts.width, atLeast: side)
        let (width, height) = ((facts.width + reduction - 1) / reduction, (facts.height + reduction - 1) / reduction)
        var warnings = 0
        let pixels = try decode(
            bytes, to: GRAFT_JPEG_GREY, pixelCount: width * height, reduction: reduction, warnings: &warnings)
        return (DecodedImage(height: height, width: width, channels: 1, pixels: pixels), warnings)
    }

    /// What the shim says where the bytes end too early.
    static let truncationWords = "the file ends in the middle of"

    /// The largest of libjpeg's reductions that leaves this many rows and columns.
    private static func reduction(_ height: Int, _ width: Int, atLeast least: Int) -> Int {
        [8, 4, 2].first { min(height, width) / $0 >= least } ?? 1
    }

    private static func readHeader(_ bytes: [UInt8]) throws(GraftError) -> graft_jpeg_header {
        var header = graft_jpeg_header()
        try reporting { message in graft_jpeg_read_header(bytes, bytes.count, &header, message) }
        return header
    }

    private static func decode(
        _ bytes: [UInt8], to colours: graft_jpeg_colours, pixelCount: Int, reduction: Int = 1
    ) throws(GraftError) -> [UInt8] {
        var warnings = 0
        return try decode(bytes, to: colours, pixelCount: pixelCount, reduction: reduction, warnings: &warnings)
    }

    private static func decode(
        _ bytes: [UInt8], to colours: graft_jpeg_colours, pixelCount: Int, reduction: Int, warnings: inout Int
    ) throws(GraftError) -> [UInt8] {
        let byteCount = pixelCount * Int(colours.rawValue)
        var failure: GraftError?
        let pixels = [UInt8](unsafeUninitializedCapacity: byteCount) { pixels, initializedCount in
            do throws(GraftError) {
                try reporting { message in
                    graft_jpeg_decode(
                        bytes, bytes.count, colours, UInt32(reduction), pixels.baseAddress, byteCount, &warnings,
                        message)
                }
                initializedCount = byteCount
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return pixels
    }

    /// Runs a call of the shim; what it says becomes the error's text.
    private static func reporting(_ call: (UnsafeMutablePointer<CChar>) -> Int32) throws(GraftError) {
        let text: String? = withUnsafeTemporaryAllocation(
            of: CChar.self, capacity: GRAFT_JPEG_MESSAGE_SIZE
        ) { message in
            message.initialize(repeating: 0)
            guard let start = message.baseAddress, call(start) != 0 else { return nil }
            return String(cString: start)
        }
        guard let text else { return }
        throw GraftError(.image, "it is not a whole JPEG picture: \(text)")
    }
}
