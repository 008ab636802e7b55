/// An image in memory: 8 bits a channel, rows from the top, pixels from the left, channels side by side (HWC).
public struct DecodedImage: Sendable, Hashable {
    /// The number of rows.
    public let height: Int
    /// The number of pixels in a row.
    public let width: Int
    /// 3 for red, green, blue; 1 for grey.
    public let channels: Int
    /// `height · width · channels` values from 0 to 255.
    public let pixels: [UInt8]

    /// An image of these pixels.
    ///
    /// - Precondition: `pixels.count == height * width * channels`.
    public init(height: Int, width: Int, channels: Int, pixels: [UInt8]) {
        precondition(
            pixels.count == height * width * channels,
            "\(pixels.count) values do not fill \(height) × \(width) × \(channels)")
        self.height = height
        self.width = width
        self.channels = channels
        self.pixels = pixels
    }

    /// A grey image with its brightness in three channels.
    func repeatingGrey() -> DecodedImage {
        RawImage(height: height, width: width, layout: .grey, pixels: pixels).converted(to: 3)
    }
}
