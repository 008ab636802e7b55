import GraftGraph

/// Turns the bytes of an image into pixels.
///
/// Reads JPEG, PNG, BMP, GIF and WebP, and TIFF and HEIF where the system's libvips does. Every image becomes 8-bit
/// RGB, or grey where one channel is asked for, as Keras's loaders (TensorFlow's `decode_image`) make it:
///
/// - **JPEG**: TensorFlow's own settings of libjpeg-turbo, and its pixels bit for bit.
/// - **Animations**: the first frame.
/// - **Alpha** is dropped, not blended: a transparent pixel keeps the colour that is stored under it.
/// - **16 bits** keep their upper byte. **Palettes** are looked up. **Grey** is repeated in all three channels.
/// - **CMYK** goes through the colour profile that the file carries to sRGB; without one it is `(255−ink)·(255−black)/255`.
/// - **RGB** values are taken as they are stored; a profile next to them is not applied.
///
/// One thing differs from Keras by intent: the orientation that a camera notes (EXIF) is applied, so that images taken
/// sideways are rotated upright.
///
/// Safe to use from any number of threads at once, with any bytes: damage, truncation and other kinds of file throw.
public struct ImageDecoder: Sendable, Hashable {
    /// The largest image that is decoded, in pixels. A small file can declare billions of pixels.
    public static let maximumPixelCount = 100_000_000
    /// The most memory that decoding one image takes, in bytes, beside its file: as much as 100 megapixels of RGB. What an
    /// image takes follows from its header; formats that are decoded as a whole (WebP, GIF, HEIF, TIFF, progressive JPEG,
    /// interlaced PNG) take more for a pixel, and images of fewer pixels are refused.
    public static let maximumMemory = 300_000_000
    /// The largest file that is read, in bytes: 100 megapixels stored without compression at 16 bits fit twice.
    public static let maximumByteCount = 1 << 30

    /// 3 for RGB, 1 for grey.
    public let channels: Int

    /// A decoder to this many channels.
    ///
    /// - Throws: `GraftError` with code `argument` unless `channels` is 1 or 3.
    public init(channels: Int = 3) throws(GraftError) {
        guard channels == 1 || channels == 3 else {
            throw GraftError(.argument, "a picture can be decoded to 3 channels (RGB) or 1 (grey), not \(channels)")
        }
        self.channels = channels
    }

    /// Decodes the image in these bytes.
    ///
    /// - Throws: `GraftError` with code `image` where they are not a whole image in a known format.
    public func decode(_ bytes: [UInt8]) throws(GraftError) -> DecodedImage {
        try withImage(in: bytes) { image in image }
    }

    /// Decodes the image in these bytes and does something with it, while its memory counts as taken.
    func withImage<Result>(
        in bytes: [UInt8], memory: DecodingMemory = .shared, _ body: (DecodedImage) -> Result
    ) throws(GraftError) -> Result {
        guard !bytes.isEmpty else { throw GraftError(.image, "the file is empty (0 bytes)") }
        guard let format = ImageFormat(signatureOf: bytes) else {
            throw GraftError(
                .image,
                "it begins with \(ImageFormat.describe(bytes)), which is no picture that Graft reads "
                    + "(JPEG, PNG, BMP, GIF, WebP, TIFF, HEIF)")
        }
        let bytes = format == .png ? PNGChunks.withoutTexts(bytes) : bytes
        let cost: DecodingCost
        switch format {
        case .jpeg: cost = try JPEGReader.cost(of: bytes, channels: channels)
        case .bmp: cost = try BMPReader.cost(of: bytes)
        case .png, .gif, .webP, .tiff, .heif: cost = try VipsReader.cost(of: bytes, as: format)
        }
        return try memory.with(try cost.check(channels: channels)) { () throws(GraftError) in
            body(try read(bytes, as: format).converted(to: channels))
        }
    }

    private func read(_ bytes: [UInt8], as format: ImageFormat) throws(GraftError) -> RawImage {
        switch format {
        case .jpeg: try JPEGReader.read(bytes, channels: channels)
        case .bmp: try BMPReader.read(bytes)
        case .png, .gif, .webP, .tiff, .heif: try VipsReader.read(bytes, as: format)
        }
    }

    /// Reads and decodes a file.
    ///
    /// - Throws: `GraftError` with code `file` where it cannot be read and `image` where it cannot be decoded;
    ///   the message begins with the path.
    public func decode(contentsOf path: String) throws(GraftError) -> DecodedImage {
        do throws(GraftError) {
            return try decode(FileBytes.read(path, limit: Self.maximumByteCount))
        } catch {
            throw error.inside(path)
        }
    }

    /// Names what decides about a decoded image's pixels, this code and libvips; part of every fingerprint.
    static let version = "graft-decoder-1 vips-\(VipsLibrary.versionText)"

    /// Refuses an image that is too large or has no pixels, before memory is taken for it.
    static func checkSize(width: Int, height: Int) throws(GraftError) {
        guard width > 0, height > 0 else {
            throw GraftError(.image, "it declares \(width) × \(height) pixels; both must be at least 1")
        }
        let (count, overflow) = width.multipliedReportingOverflow(by: height)
        guard !overflow, count <= maximumPixelCount else {
            throw GraftError(
                .image,
                "it declares \(width) × \(height) pixels, more than the \(maximumPixelCount / 1_000_000) megapixels "
                    + "that Graft decodes; scale it down first")
        }
    }
}
