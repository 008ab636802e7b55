import GraftData

/// An image as a reader delivers it, before it has the number of channels that was asked for and is upright.
struct RawImage {
    /// How the channels of a pixel are to be understood.
    enum Layout {
        case grey, rgb
        /// Amounts of ink: 255 is all of it.
        case cmyk

        var channels: Int {
            switch self {
            case .grey: 1
            case .rgb: 3
            case .cmyk: 4
            }
        }
    }

    let height: Int
    let width: Int
    let layout: Layout
    let pixels: [UInt8]
    var orientation = Orientation.upright

    /// The image upright, with three channels or one.
    func converted(to channels: Int) -> DecodedImage {
        let values = channels == 3 ? colours() : greys()
        return orientation.applied(to: DecodedImage(height: height, width: width, channels: channels, pixels: values))
    }

    /// The image with its values taken through a window.
    func through(_ window: IntensityWindow?) -> RawImage {
        guard let window else { return self }
        let function = IntensityWindowFunction(window)
        let table = (0..<256).map { UInt8(function(Double($0)).rounded()) }
        return RawImage(
            height: height, width: width, layout: layout, pixels: pixels.map { table[Int($0)] },
            orientation: orientation)
    }

    /// Red, green and blue of every pixel.
    private func colours() -> [UInt8] {
        switch layout {
        case .rgb:
            return pixels
        case .grey:
            return mapPixels(to: 3) { source, target in
                target[0] = source[0]
                target[1] = source[0]
                target[2] = source[0]
            }
        case .cmyk:
            return mapPixels(to: 3) { source, target in
                for channel in 0..<3 { target[channel] = Self.light(past: source[channel], and: source[3]) }
            }
        }
    }

    /// One brightness a pixel.
    private func greys() -> [UInt8] {
        switch layout {
        case .grey:
            return pixels
        case .rgb:
            return mapPixels(to: 1) { source, target in target[0] = Self.luma(source[0], source[1], source[2]) }
        case .cmyk:
            return mapPixels(to: 1) { source, target in
                target[0] = Self.luma(
                    Self.light(past: source[0], and: source[3]), Self.light(past: source[1], and: source[3]),
                    Self.light(past: source[2], and: source[3]))
            }
        }
    }

    /// What an ink and black leave of a channel's light: `(255 − ink)(255 − black) / 255`, rounded down as in TensorFlow.
    @inline(__always)
    private static func light(past ink: UInt8, and black: UInt8) -> UInt8 {
        UInt8(truncatingIfNeeded: (255 - UInt32(ink)) * (255 - UInt32(black)) / 255)
    }

    /// The brightness that JPEG and television use (ITU-R BT.601): `0.299 R + 0.587 G + 0.114 B`, rounded.
    @inline(__always)
    private static func luma(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
        UInt8(truncatingIfNeeded: (19595 * UInt32(red) + 38470 * UInt32(green) + 7471 * UInt32(blue) + 32768) >> 16)
    }

    /// Writes `channels` values for each pixel.
    @inline(__always)
    private func mapPixels(
        to channels: Int, _ body: (UnsafePointer<UInt8>, UnsafeMutablePointer<UInt8>) -> Void
    ) -> [UInt8] {
        let count = height * width
        let stored = layout.channels
        precondition(
            pixels.count == count * stored, "\(pixels.count) values do not fill \(height) × \(width) × \(stored)")
        return [UInt8](unsafeUninitializedCapacity: count * channels) { result, initializedCount in
            initializedCount = count * channels
            pixels.withUnsafeBufferPointer { pixels in
                guard let source = pixels.baseAddress, let target = result.baseAddress else { return }
                for pixel in 0..<count { body(source + pixel * stored, target + pixel * channels) }
            }
        }
    }
}
