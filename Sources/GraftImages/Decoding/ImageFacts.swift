import GraftGraph

/// What a file's header says about its image; no pixel is decoded for it.
struct ImageFacts {
    let format: ImageFormat
    /// As stored, before it is made upright.
    let width: Int
    let height: Int
    /// 8, 16, or 32 where it is some other type of number.
    var bitsPerChannel = 8
    var isCMYK = false
    /// Frames of an animation or pages of a document; the first is the image.
    var frameCount = 1
    /// How the camera was held.
    var orientation = Orientation.upright

    /// Whether the image is larger than what Graft decodes.
    var isTooLarge: Bool {
        let (count, overflow) = width.multipliedReportingOverflow(by: height)
        return overflow || count > ImageDecoder.maximumPixelCount
    }

    /// Reads the header.
    ///
    /// - Throws: `GraftError` with code `image` where there is none that makes sense.
    static func read(_ bytes: [UInt8]) throws(GraftError) -> ImageFacts {
        let format = try ImageFormat(of: bytes)
        switch format {
        case .jpeg: return try JPEGReader.facts(of: bytes)
        case .bmp:
            let header = try BMPHeader(bytes)
            return ImageFacts(format: .bmp, width: header.width, height: header.height)
        case .png, .gif, .webP, .tiff, .heif:
            var facts = try VipsReader.facts(of: bytes, as: format)
            // libvips reads the first frame of an animated PNG as if there were no other.
            if format == .png { facts.frameCount = PNGChunks.frameCount(in: bytes) }
            return facts
        case .dicom:
            // Its bits go through a window, as they should: they are no oddity.
            let description = try DICOMDescription(DICOMReader(bytes, limit: DICOMImage.maximumByteCount))
            return ImageFacts(
                format: .dicom, width: description.columns, height: description.rows, frameCount: description.frameCount
            )
        }
    }
}

extension ImageDecoder {
    /// Refuses an image whose header declares more pixels than this; no pixel is decoded for it.
    ///
    /// - Throws: `GraftError` with code `image` for such an image, and where there is no header that makes sense.
    package static func check(_ bytes: [UInt8], pixelLimit: Int) throws(GraftError) {
        let facts = try ImageFacts.read(bytes)
        let (count, overflow) = facts.width.multipliedReportingOverflow(by: facts.height)
        guard !overflow, count <= pixelLimit else {
            throw GraftError(
                .image,
                "it declares \(facts.width) × \(facts.height) pixels, and at most \(pixelLimit) are taken; scale it down first"
            )
        }
    }
}
