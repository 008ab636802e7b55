/// How a camera was held, as EXIF notes it (tag 0x0112): which way the stored rows and columns run.
///
/// The source is the EXIF specification, JEITA CP-3451, "Orientation".
enum Orientation: Int, Sendable {
    case upright = 1
    case mirrored = 2
    case upsideDown = 3
    case flipped = 4
    case transposed = 5
    /// Rotated by 90° to the right to be upright; most phone portraits.
    case quarterTurn = 6
    case transversed = 7
    case threeQuarterTurn = 8

    /// Whether rows and columns change places.
    private var swapsAxes: Bool { rawValue >= 5 }
    /// Whether the stored rows are read from the last to the first.
    private var reversesRows: Bool {
        self == .upsideDown || self == .flipped || self == .transversed || self == .quarterTurn
    }
    /// Whether the stored pixels of a row are read from the last to the first.
    private var reversesColumns: Bool {
        self == .mirrored || self == .upsideDown || self == .transversed || self == .threeQuarterTurn
    }

    /// The image as it is to be looked at.
    func applied(to image: DecodedImage) -> DecodedImage {
        guard self != .upright else { return image }
        let height = swapsAxes ? image.width : image.height
        let width = swapsAxes ? image.height : image.width
        let channels = image.channels
        // Where the first pixel comes from, and how far the source moves with each column and row of the result.
        let rowStride = (reversesRows ? -1 : 1) * image.width * channels
        let columnStride = (reversesColumns ? -1 : 1) * channels
        let origin =
            (reversesRows ? (image.height - 1) * image.width * channels : 0)
            + (reversesColumns ? (image.width - 1) * channels : 0)
        let (down, right) = swapsAxes ? (columnStride, rowStride) : (rowStride, columnStride)
        let pixels = [UInt8](unsafeUninitializedCapacity: image.pixels.count) { result, initializedCount in
            image.pixels.withUnsafeBufferPointer { source in
                var position = 0
                for y in 0..<height {
                    for x in 0..<width {
                        let pixel = origin + y * down + x * right
                        for channel in 0..<channels {
                            result[position] = source[pixel + channel]
                            position += 1
                        }
                    }
                }
                initializedCount = position
            }
        }
        return DecodedImage(height: height, width: width, channels: channels, pixels: pixels)
    }
}
