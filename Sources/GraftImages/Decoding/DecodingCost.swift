import GraftGraph

/// What decoding an image takes at its worst moment, from its header alone.
struct DecodingCost {
    let width: Int
    let height: Int
    /// Bytes a pixel that the library keeps of the whole image while it decodes; 0 where it goes row by row.
    var inside = 0
    /// Bytes a pixel of the image as it is read.
    var read: Int
    /// Whether it is turned upright, which takes a second image.
    var isTurned = false
    /// Other bytes that the library keeps.
    var others = 0
    /// The pixels of a second image, cropped or padded to another proportion; 0 where there is none.
    var fittedPixelCount = 0

    /// The bytes, for an image of so many channels in the end. The size was checked: this cannot overflow.
    func byteCount(channels: Int) -> Int {
        let converted = read == channels ? 0 : channels
        let decoding = others + width * height * max(inside + read, read + converted + (isTurned ? channels : 0))
        return max(decoding, (width * height + fittedPixelCount) * channels)
    }

    /// - Throws: `GraftError` with code `image` where that is more than an image may take.
    func check(channels: Int) throws(GraftError) -> Int {
        let needed = byteCount(channels: channels)
        guard needed <= ImageDecoder.maximumMemory else {
            let work = fittedPixelCount > width * height ? "decoding and padding" : "decoding"
            throw GraftError(
                .image,
                "\(work) its \(width) × \(height) pixels takes \(needed / 1_000_000) MB, more than the "
                    + "\(ImageDecoder.maximumMemory / 1_000_000) MB that Graft gives an image; scale it down first")
        }
        return needed
    }
}
