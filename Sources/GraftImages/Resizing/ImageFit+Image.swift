import GraftData

extension ImageFit {
    /// The image with the proportion of a size, as Keras's `image_dataset_from_directory` makes it before the resize. With an
    /// image of `h × w` and a size of `H × W`:
    ///
    /// - `stretch`: as it is.
    /// - `crop`: `min(h, ⌊w·H/W⌋)` rows and `min(w, ⌊h·W/H⌋)` columns from the middle.
    /// - `pad`: `⌊(max(h, ⌊w·H/W⌋) − h) / 2⌋` rows of zeros above and as many below, and columns likewise.
    ///
    /// What a crop leaves out by an odd number lies more below and on the right. Sources: `smart_resize` of
    /// keras/src/utils/image_utils.py, `resize` of keras/src/backend/tensorflow/image.py.
    package func applied(to image: DecodedImage, height: Int, width: Int) -> DecodedImage {
        let size = size(ofHeight: image.height, width: image.width, for: Size2D(height, width))
        return image.window(height: size.height, width: size.width)
    }

    /// The height and width of what ``applied(to:height:width:)`` makes of an image of this height and width.
    func size(ofHeight height: Int, width: Int, for target: Size2D) -> Size2D {
        let rows = Self.share(of: width, times: target.height, by: target.width)
        let columns = Self.share(of: height, times: target.width, by: target.height)
        switch self {
        case .stretch: return Size2D(height, width)
        case .crop: return Size2D(min(height, max(rows, 1)), min(width, max(columns, 1)))
        case .pad:
            return Size2D(height + max(rows - height, 0) / 2 * 2, width + max(columns - width, 0) / 2 * 2)
        }
    }

    /// In 32 bits, as Keras computes it.
    private static func share(of length: Int, times factor: Int, by divisor: Int) -> Int {
        Int(Float(length * factor) / Float(divisor))
    }
}

extension DecodedImage {
    /// A window of this size about the middle; what lies outside of the image is zero.
    fileprivate func window(height: Int, width: Int) -> DecodedImage {
        guard (height, width) != (self.height, self.width) else { return self }
        // Both differences have one sign, or are zero.
        let (top, left) = ((self.height - height) / 2, (self.width - width) / 2)
        let (rows, columns) = (min(height, self.height), min(width, self.width))
        let (stored, target) = (self.width * channels, width * channels)
        var values = [UInt8](repeating: 0, count: height * target)
        for row in 0..<rows {
            let from = (max(top, 0) + row) * stored + max(left, 0) * channels
            let to = (max(-top, 0) + row) * target + max(-left, 0) * channels
            values.replaceSubrange(to..<to + columns * channels, with: pixels[from..<from + columns * channels])
        }
        return DecodedImage(height: height, width: width, channels: channels, pixels: values)
    }
}
