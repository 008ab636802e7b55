import GraftData
import GraftGraph

/// Brings images to one size, as 32-bit floats from 0 to 255 that are not rounded.
///
/// The image is stretched to the rule's height and width; a rule's ``ImageFit`` brings it to their proportion before. The
/// methods, with `s = input size / output size` along an axis and `x` the output position:
///
/// - `keras`: bilinear between the two neighbours of `(x + ½)·s − ½`, without antialiasing:
///   TensorFlow's `resize(method: "bilinear", antialias: false)`, bit for bit.
/// - `antialias`: a triangle of width `2·max(s, 1)` around `(x + ½)·s`, its weights scaled to a sum of 1:
///   TensorFlow's `resize(method: "bilinear", antialias: true)`.
/// - `reduced`: the same, of a JPEG that was decoded at a part of its size.
/// - `nearest`: the pixel at `⌊(x + ½)·s⌋`: Pillow's `NEAREST`, the default of Keras's older `ImageDataGenerator`.
public struct ImageResizer: Sendable, Hashable {
    /// Size, channels and method.
    public let rule: ImageRule

    /// The largest height or width that a rule may ask for.
    static let maximumSize = 16_384

    /// A resizer to this rule's size, by its method.
    ///
    /// - Throws: `GraftError` with code `argument` where the rule's sizes make no image.
    public init(rule: ImageRule) throws(GraftError) {
        guard (1...Self.maximumSize).contains(rule.height), (1...Self.maximumSize).contains(rule.width) else {
            throw GraftError(
                .argument,
                "pictures cannot be resized to \(rule.height) × \(rule.width); both must lie in 1…\(Self.maximumSize)")
        }
        guard rule.channels == 1 || rule.channels == 3 else {
            throw GraftError(.argument, "an image rule has 3 channels (RGB) or 1 (grey), not \(rule.channels)")
        }
        self.rule = rule
    }

    /// The number of values of a resized image.
    var elementCount: Int { rule.height * rule.width * rule.channels }

    /// The image in the rule's size: a tensor of shape (height, width, channels).
    ///
    /// - Precondition: the image has the rule's number of channels.
    public func resized(_ image: DecodedImage) -> Tensor {
        Tensor(uninitialized: [rule.height, rule.width, rule.channels]) { resize(image, into: $0) }
    }

    /// Writes the image in the rule's size to memory that holds `elementCount` values.
    func resize(_ image: DecodedImage, into target: UnsafeMutableBufferPointer<Float>) {
        precondition(image.channels == rule.channels, "\(image.channels) channels, \(rule.channels) expected")
        precondition(target.count >= elementCount, "\(target.count) values cannot hold \(elementCount)")
        guard let start = target.baseAddress else { return }
        image.pixels.withUnsafeBufferPointer { pixels in
            guard let first = pixels.baseAddress else { return }
            let source = PixelRows(
                first: first, height: image.height, width: image.width, channels: image.channels)
            switch rule.resize {
            case .keras: BilinearResize(from: source, height: rule.height, width: rule.width).write(to: start)
            case .antialias, .reduced:
                TriangleResize(from: source, height: rule.height, width: rule.width).write(to: start)
            case .nearest: NearestResize(from: source, height: rule.height, width: rule.width).write(to: start)
            }
        }
    }
}

/// Rows of 8-bit pixels somewhere in memory.
struct PixelRows {
    let first: UnsafePointer<UInt8>
    let height: Int
    let width: Int
    let channels: Int

    /// The number of values in a row.
    var rowCount: Int { width * channels }

    func row(_ y: Int) -> UnsafePointer<UInt8> { first + y * rowCount }
}
