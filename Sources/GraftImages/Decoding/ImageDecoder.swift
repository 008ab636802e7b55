import GraftData
import GraftGraph

/// Turns the bytes of an image into pixels.
///
/// Reads JPEG, PNG, BMP, GIF, WebP and DICOM, and TIFF and HEIF where the system's libvips does. Every image becomes 8-bit
/// RGB, or grey where one channel is asked for, as Keras's loaders (TensorFlow's `decode_image`) make it:
///
/// - **JPEG**: TensorFlow's own settings of libjpeg-turbo, and its pixels bit for bit.
/// - **Animations**: the first frame.
/// - **Alpha** is dropped, not blended: a transparent pixel keeps the colour that is stored under it.
/// - **16 bits** keep their upper byte. **Palettes** are looked up. **Grey** is repeated in all three channels.
/// - **CMYK** goes through the colour profile that the file carries to sRGB; without one it is `(255−ink)·(255−black)/255`.
/// - **DICOM**: the first frame, in the modality's units, through a window (``DICOMImage``).
/// - **A window** that is asked for takes the values of the file, of all the bits that it has, to 0…255.
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
    /// The values that become the brightness from black to white; `nil` for all, and for the window that a DICOM file suggests.
    public let window: IntensityWindow?
    /// Whether colours are left out: three channels are alike then.
    public let isGrey: Bool
    /// The rows and columns that a JPEG may be reduced to as it is decoded, at least; `nil` for all that it has.
    private var leastSize: Size2D?
    /// The proportion that images are cropped or padded to after they were decoded.
    private var fitting: Fitting?

    /// A decoder to this many channels.
    ///
    /// - Throws: `GraftError` with code `argument` unless `channels` is 1 or 3.
    public init(channels: Int = 3, window: IntensityWindow? = nil, isGrey: Bool = false) throws(GraftError) {
        guard channels == 1 || channels == 3 else {
            throw GraftError(.argument, "a picture can be decoded to 3 channels (RGB) or 1 (grey), not \(channels)")
        }
        (self.channels, self.window, self.isGrey) = (channels, window, isGrey)
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
        let format = try ImageFormat(of: bytes)
        let bytes = format == .png ? PNGChunks.withoutTexts(bytes) : bytes
        let colours = isGrey ? 1 : channels
        if format == .dicom, DICOMReader.isDeflated(bytes) {
            // Its size is known once it was inflated, for which there must be room.
            return try memory.with(Self.maximumMemory) { () throws(GraftError) in
                _ = try fitted(DICOMImage.cost(of: bytes)).check(channels: channels)
                return try body(decode(bytes, as: format, colours: colours))
            }
        }
        let cost: DecodingCost
        switch format {
        case .jpeg: cost = try JPEGReader.cost(of: bytes, channels: colours, atLeast: leastSize)
        case .bmp: cost = try BMPReader.cost(of: bytes)
        case .png, .gif, .webP, .tiff, .heif: cost = try VipsReader.cost(of: bytes, as: format)
        case .dicom: cost = try DICOMImage.cost(of: bytes)
        }
        return try memory.with(try fitted(cost).check(channels: channels)) { () throws(GraftError) in
            try body(decode(bytes, as: format, colours: colours))
        }
    }

    private func fitted(_ cost: DecodingCost) -> DecodingCost {
        var cost = cost
        cost.fittedPixelCount = fitting?.pixelCount(ofImage: cost) ?? 0
        return cost
    }

    private func decode(_ bytes: [UInt8], as format: ImageFormat, colours: Int) throws(GraftError) -> DecodedImage {
        let image = try read(bytes, as: format, colours: colours).converted(to: colours)
        return colours == channels ? image : image.repeatingGrey()
    }

    private func read(_ bytes: [UInt8], as format: ImageFormat, colours: Int) throws(GraftError) -> RawImage {
        switch format {
        case .jpeg: try JPEGReader.read(bytes, channels: colours, atLeast: leastSize).through(window)
        case .bmp: try BMPReader.read(bytes).through(window)
        case .png, .gif, .webP, .tiff, .heif: try VipsReader.read(bytes, as: format, window: window)
        case .dicom: try DICOMImage.read(bytes, window: window)
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

extension ImageDecoder {
    /// What a rule asks for. With ``ResizeMethod/reduced``, JPEGs keep at least twice the rule's size.
    init(_ rule: ImageRule) throws(GraftError) {
        try self.init(channels: rule.channels, window: rule.window, isGrey: rule.isGrey)
        if rule.resize == .reduced { leastSize = Size2D(2 * rule.height, 2 * rule.width) }
        if rule.fit != .stretch { fitting = Fitting(fit: rule.fit, size: Size2D(rule.height, rule.width)) }
    }
}

/// How decoded images are brought to a proportion.
private struct Fitting: Hashable {
    let fit: ImageFit
    let size: Size2D

    /// The pixels that it makes of an image, at most: it may be turned by then.
    func pixelCount(ofImage cost: DecodingCost) -> Int {
        let upright = pixelCount(fit.size(ofHeight: cost.height, width: cost.width, for: size))
        guard cost.isTurned else { return upright }
        return max(upright, pixelCount(fit.size(ofHeight: cost.width, width: cost.height, for: size)))
    }

    /// A narrow image may be padded to more than there are numbers for.
    private func pixelCount(_ size: Size2D) -> Int {
        let (count, overflow) = size.height.multipliedReportingOverflow(by: size.width)
        return overflow ? 1 << 48 : min(count, 1 << 48)
    }
}
