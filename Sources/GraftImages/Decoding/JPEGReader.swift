internal import CJPEG
import GraftGraph

/// Decodes JPEG with libjpeg-turbo, set as TensorFlow sets it.
///
/// libvips reads JPEG too, but with another inverse transform (values differ by up to 4), and it takes twice as long.
enum JPEGReader {
    /// What ``read(_:channels:)`` takes, by the header.
    ///
    /// - Throws: `GraftError` with code `image` where there is no whole header, or the image is too large.
    static func cost(of bytes: [UInt8], channels: Int) throws(GraftError) -> DecodingCost {
        let header = try readHeader(bytes)
        try ImageDecoder.checkSize(width: Int(header.width), height: Int(header.height))
        return DecodingCost(
            width: Int(header.width), height: Int(header.height), read: header.components == 4 ? 4 : channels,
            isTurned: JPEGMetadata(bytes).orientation != .upright, others: Int(clamping: header.coefficientByteCount))
    }

    /// Decodes to grey or RGB as asked for; CMYK stays CMYK, or becomes RGB through the profile in the file.
    static func read(_ bytes: [UInt8], channels: Int) throws(GraftError) -> RawImage {
        let header = try readHeader(bytes)
        let height = Int(header.height)
        let width = Int(header.width)
        try ImageDecoder.checkSize(width: width, height: height)
        let metadata = JPEGMetadata(bytes)
        guard header.components == 4 else {
            let colours = channels == 1 ? GRAFT_JPEG_GREY : GRAFT_JPEG_RGB
            let pixels = try decode(bytes, to: colours, pixelCount: height * width)
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

    private static func readHeader(_ bytes: [UInt8]) throws(GraftError) -> graft_jpeg_header {
        var header = graft_jpeg_header()
        try reporting { message in graft_jpeg_read_header(bytes, bytes.count, &header, message) }
        return header
    }

    private static func decode(
        _ bytes: [UInt8], to colours: graft_jpeg_colours, pixelCount: Int
    ) throws(GraftError) -> [UInt8] {
        let byteCount = pixelCount * Int(colours.rawValue)
        var failure: GraftError?
        let pixels = [UInt8](unsafeUninitializedCapacity: byteCount) { pixels, initializedCount in
            do throws(GraftError) {
                try reporting { message in
                    graft_jpeg_decode(bytes, bytes.count, colours, pixels.baseAddress, byteCount, message)
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
