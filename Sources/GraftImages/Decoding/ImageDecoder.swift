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
    /// The largest image that is decoded, in pixels. A small file can declare billions of pixels; this bounds what one
    /// image can take to 300 MB.
    public static let maximumPixelCount = 100_000_000
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
        let format = try ImageFormat(of: bytes)
        let raw: RawImage
        switch format {
        case .jpeg: raw = try JPEGReader.read(bytes, channels: channels)
        case .bmp: raw = try BMPReader.read(bytes)
        case .png, .gif, .webP, .tiff, .heif: raw = try VipsReader.read(bytes, as: format)
        }
        return raw.converted(to: channels)
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
