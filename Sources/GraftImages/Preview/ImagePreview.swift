import GraftData
import GraftGraph

/// A contact sheet of what a network sees of some images: each a row.
///
/// With an augmentation a row is the image as the network sees it where nothing is augmented, then views of it, the very ones
/// that training with this recipe and seed draws first. Without, it is the image as it is in its file, fitted into the
/// network's size, and the image as the network sees it.
public struct ImagePreview: Sendable {
    /// The images that are shown, one a row.
    public let paths: [String]
    /// What the columns are, from the left.
    public let columns: [String]
    /// Images that would have been shown and cannot be read.
    public let failures: [ExampleFailure]
    /// The sheet.
    public let sheet: DecodedImage

    /// Draws a sheet.
    ///
    /// - Parameters:
    ///   - images: of which some are shown, at equal distances; their rule says what the network sees.
    ///   - count: how many rows there are, at most.
    ///   - augmentation: how views differ from their images; `nil` for no views.
    ///   - views: how many are shown.
    ///   - seed: that of the training.
    /// - Throws: `GraftError` with code `argument` for numbers that are not at least 1, and for a sheet that is too large;
    ///   `data` where none of the images can be read.
    public init(
        of images: ImageFiles, count: Int = 6, augmentation: Augmentation? = nil, views: Int = 6, seed: UInt64 = 0
    ) throws {
        guard count >= 1, views >= 1 else {
            throw GraftError(.argument, "a preview shows at least 1 image and 1 view, and not \(count) and \(views)")
        }
        let rows = min(count, images.count)
        columns = Self.columns(augmentation, views)
        let rule = images.loader.rule
        // Small images are enlarged, so that one sees something.
        let shorter = max(min(rule.height, rule.width), 1)
        let scale = (Self.leastCellSide + shorter - 1) / shorter
        let sheet = ContactSheet(
            columns: columns.count, cell: scale * max(rule.height, rule.width), gap: 6, background: [96, 96, 96])
        _ = try sheet.size(of: rows * columns.count)
        var cells: [DecodedImage] = []
        let drawn = try augmentation.map { try AugmentedImages(images, $0, views: views, seed: seed) }
        var (paths, failures) = ([String](), [ExampleFailure]())
        for number in 0..<rows {
            // One that cannot be read is passed over; the next one may do.
            let candidates = (number * images.count / rows)..<((number + 1) * images.count / rows)
            for index in candidates {
                let seen = try images.batch([index])
                failures += seen.failures
                guard seen.failures.isEmpty else { continue }
                paths.append(images.paths[index])
                let numbers = (0..<views).map { $0 * images.count + index }
                let others = try drawn.map { try $0.batch(numbers).inputs[0].images } ?? []
                let row = try (drawn == nil ? [Self.fitted(images, index)] : []) + seen.inputs[0].images + others
                cells += row.map { $0.enlarged(by: scale) }
                break
            }
        }
        guard !paths.isEmpty else {
            throw GraftError(
                .data,
                "none of the images that were looked at can be read\(failures.first.map { "; the first: \($0)" } ?? "")"
            )
        }
        (self.paths, self.failures, self.sheet) = (paths, failures, try sheet.image(of: cells))
    }

    private static let leastCellSide = 96

    private static func columns(_ augmentation: Augmentation?, _ views: Int) -> [String] {
        guard augmentation != nil else { return ["as in its file", "as the network sees it"] }
        return ["as the network sees it"] + (1...views).map { "view \($0)" }
    }

    /// An image in its own proportions, as large as the network's size allows.
    private static func fitted(_ images: ImageFiles, _ index: Int) throws -> DecodedImage {
        let (image, rule) = (try images.loader.decodeWhole(index).image, images.loader.rule)
        let scale = min(Double(rule.height) / Double(image.height), Double(rule.width) / Double(image.width))
        let height = min(max(Int((scale * Double(image.height)).rounded()), 1), rule.height)
        let width = min(max(Int((scale * Double(image.width)).rounded()), 1), rule.width)
        let resizer = try ImageResizer(
            rule: ImageRule(height: height, width: width, channels: rule.channels, resize: .antialias))
        let pixels = Tensor(uninitialized: [1, height, width, rule.channels]) { resizer.resize(image, into: $0) }
        return pixels.images[0]
    }

    /// Writes the sheet as a PNG file.
    ///
    /// - Throws: `GraftError` with code `file` where it cannot be written, `image` where libvips writes no PNG.
    public func write(to path: String) throws(GraftError) {
        try AtomicFile.write(PNGWriter.bytes(of: sheet, software: "graft preview"), to: path)
    }
}

extension DecodedImage {
    /// The image with each pixel so many pixels wide and high.
    fileprivate func enlarged(by scale: Int) -> DecodedImage {
        guard scale > 1 else { return self }
        var larger: [UInt8] = []
        larger.reserveCapacity(scale * scale * pixels.count)
        for y in 0..<(scale * height) {
            for x in 0..<(scale * width) {
                let source = (y / scale * width + x / scale) * channels
                larger += pixels[source..<source + channels]
            }
        }
        return DecodedImage(height: scale * height, width: scale * width, channels: channels, pixels: larger)
    }
}

extension Tensor {
    /// The images of a batch (images, height, width, channels) of values 0 to 255, rounded.
    fileprivate var images: [DecodedImage] {
        let (height, width, channels) = (shape[1], shape[2], shape[3])
        let size = height * width * channels
        return withUnsafeBuffer { values in
            (0..<shape[0]).map { number in
                DecodedImage(
                    height: height, width: width, channels: channels,
                    pixels: values[(number * size)..<((number + 1) * size)].map {
                        UInt8(min(max($0, 0), 255).rounded())
                    })
            }
        }
    }
}
