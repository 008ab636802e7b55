import GraftData
import GraftGraph
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What can be told of an image without knowing what it shows. Where such a property gives the class away, a network may have
/// learned it in place of what is shown.
public struct ImageProperties: Sendable, Hashable {
    /// A property. Colours and brightness are from 0 to 255.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// The mean over all pixels and channels.
        case brightness
        /// The standard deviation of the brightness over pixels.
        case contrast
        /// The mean difference between the largest and the smallest channel.
        case colourfulness
        /// The mean of red less that of blue.
        case warmth
        /// The mean of green less that of red and blue.
        case greenness
        /// The logarithm of the mean square of the difference between a pixel and the mean of its four neighbours.
        case sharpness
        /// The brightness of the outer eighth less that of the rest.
        case border
        /// Rows, as stored.
        case height
        /// Columns, as stored.
        case width
        /// The logarithm of width over height.
        case proportion
        /// The bytes of the file.
        case fileSize = "file_size"
        /// The bytes of the file for each pixel.
        case bytesPerPixel = "bytes_per_pixel"
        /// The quality that a JPEG was stored with, 1 to 100.
        case jpegQuality = "jpeg_quality"
        /// 1 for JPEG, 0 for another format.
        case isJPEG = "is_jpeg"
    }

    /// What is known; a file that is no JPEG has no quality.
    public let values: [Kind: Double]

    /// The side that pixels are looked at: small, so that many images take little time, and large enough that a blurred one differs.
    static let side = 128

    /// Looks at a file.
    ///
    /// - Throws: `GraftError` where it cannot be read or decoded.
    public init(contentsOf path: String) throws(GraftError) {
        let bytes = try FileBytes.read(path, limit: ImageDecoder.maximumByteCount)
        let facts = try ImageFacts.read(bytes)
        let rule = ImageRule(height: Self.side, width: Self.side, resize: .reduced)
        let resizer = try ImageResizer(rule: rule)
        let pixels = try ImageDecoder(rule).withImage(in: bytes) { resizer.resized($0) }
        var values = pixels.withUnsafeBuffer { Self.statistics($0, side: Self.side) }
        let (width, height) = (Double(facts.width), Double(facts.height))
        values[.height] = height
        values[.width] = width
        values[.proportion] = log(width / max(height, 1))
        values[.fileSize] = Double(bytes.count)
        values[.bytesPerPixel] = Double(bytes.count) / max(width * height, 1)
        values[.isJPEG] = facts.format == .jpeg ? 1 : 0
        if facts.format == .jpeg { values[.jpegQuality] = JPEGMetadata(bytes).quality }
        self.values = values
    }

    /// Looks at many files at once; `nil` for one that cannot be read or decoded.
    public static func of(_ paths: [String], threads: Int? = nil) -> [ImageProperties?] {
        let found = Mutex([ImageProperties?](repeating: nil, count: paths.count))
        ParallelWork.perform(count: paths.count, threads: threads ?? ParallelWork.coreCount) { index in
            let properties = try? ImageProperties(contentsOf: paths[index])
            found.withLock { $0[index] = properties }
        }
        return found.withLock { $0 }
    }

    /// - Parameter pixels: red, green and blue of a square image.
    private static func statistics(_ pixels: UnsafeBufferPointer<Float>, side: Int) -> [Kind: Double] {
        let count = Double(side * side)
        var (red, green, blue, spread, square, border, borderCount) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        var grey = [Double](repeating: 0, count: side * side)
        for place in 0..<(side * side) {
            let (r, g, b) = (Double(pixels[3 * place]), Double(pixels[3 * place + 1]), Double(pixels[3 * place + 2]))
            grey[place] = (r + g + b) / 3
            (red, green, blue) = (red + r, green + g, blue + b)
            spread += max(r, g, b) - min(r, g, b)
            square += grey[place] * grey[place]
            let (x, y) = (place % side, place / side)
            if min(x, y, side - 1 - x, side - 1 - y) < side / 16 {
                border += grey[place]
                borderCount += 1
            }
        }
        let mean = (red + green + blue) / (3 * count)
        var edges = 0.0
        for y in 1..<(side - 1) {
            for x in 1..<(side - 1) {
                let place = y * side + x
                let around = (grey[place - 1] + grey[place + 1] + grey[place - side] + grey[place + side]) / 4
                edges += (grey[place] - around) * (grey[place] - around)
            }
        }
        return [
            .brightness: mean, .contrast: max(square / count - mean * mean, 0).squareRoot(),
            .colourfulness: spread / count, .warmth: (red - blue) / count,
            .greenness: (green - (red + blue) / 2) / count, .sharpness: log(edges / count + 0.01),
            .border: border / borderCount - (mean * count - border) / (count - borderCount),
        ]
    }
}

extension ImageProperties.Kind {
    /// What a report calls it.
    public var title: String {
        switch self {
        case .brightness: "brightness"
        case .contrast: "contrast"
        case .colourfulness: "colourfulness"
        case .warmth: "red against blue"
        case .greenness: "green against red and blue"
        case .sharpness: "sharpness"
        case .border: "brightness of the border"
        case .height: "height in pixels"
        case .width: "width in pixels"
        case .proportion: "width against height"
        case .fileSize: "size of the file"
        case .bytesPerPixel: "bytes for each pixel"
        case .jpegQuality: "JPEG quality"
        case .isJPEG: "file format"
        }
    }
}
