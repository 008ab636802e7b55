import GraftGraph

/// The first frame of a DICOM file as it is stored, but decompressed: values of little-endian bytes, pixel by pixel.
struct DICOMFrame: Sendable {
    let description: DICOMDescription
    let bytes: [UInt8]
    /// The bits that a value takes in `bytes`.
    let bitsAllocated: Int
    /// Whether the values are red, green and blue, whatever the description says: decoders of JPEG make them so.
    let isRGB: Bool

    /// - Throws: `GraftError` with code `image` for pixels that are missing, damaged or compressed by another method.
    init(_ file: DICOMReader) throws(GraftError) {
        description = try DICOMDescription(file)
        guard let element = file.elements[.pixelData] else {
            throw GraftError(.image, "it is a DICOM file without an image")
        }
        let description = description
        switch file.syntax {
        case .implicitLittleEndian, .explicitLittleEndian, .explicitBigEndian, .deflated:
            let stored = try Self.native(file, element, description)
            bytes = description.isPlanar ? Self.interleaved(stored, description) : stored
            (bitsAllocated, isRGB) = (description.bitsAllocated, false)
        case .runLength:
            let fragment = try Self.first(try file.fragments(of: element))
            bytes = try RunLengthFrame.decode(file.bytes[fragment], description)
            (bitsAllocated, isRGB) = (description.bitsAllocated, false)
        case .jpeg:
            let image = try JPEGReader.read(
                try Self.stream(file, element, frameCount: description.frameCount), channels: description.samples)
            try Self.check(height: image.height, width: image.width, description)
            guard image.layout == (description.samples == 1 ? .grey : .rgb) else {
                throw GraftError(.image, "its JPEG has another number of colours than the file says")
            }
            (bytes, bitsAllocated, isRGB) = (image.pixels, 8, true)
        case .jpeg2000:
            let image = try VipsReader.readJPEG2000(
                try Self.stream(file, element, frameCount: description.frameCount))
            try Self.check(height: image.height, width: image.width, description)
            guard image.channels == description.samples else {
                throw GraftError(.image, "its JPEG 2000 has another number of colours than the file says")
            }
            (bytes, bitsAllocated, isRGB) = (image.bytes, image.bitsAllocated, true)
        case .unsupported(let name):
            throw GraftError(
                .image,
                "its pixels are stored by \(name), which Graft does not read; convert it without compression, for "
                    + "instance with 'dcmdjpeg' or 'gdcmconv --raw'")
        }
    }

    // MARK: Values

    /// The value at this position of the frame, without bits that are not stored, and with its sign.
    func value(at index: Int) -> Int {
        var value: Int
        switch bitsAllocated {
        case 1: return Int(bytes[index / 8] >> (index % 8) & 1)
        case 8: value = Int(bytes[index])
        case 16: value = Int(bytes[2 * index]) | Int(bytes[2 * index + 1]) << 8
        default:
            value = 0
            for byte in 0..<4 { value |= Int(bytes[4 * index + byte]) << (8 * byte) }
        }
        let bits = min(description.bitsStored, bitsAllocated)
        value &= (1 << bits) - 1
        return description.isSigned && value >> (bits - 1) == 1 ? value - (1 << bits) : value
    }

    // MARK: Storage

    /// Bytes of the first frame, little-endian.
    private static func native(
        _ file: DICOMReader, _ element: DICOMElement, _ description: DICOMDescription
    ) throws(GraftError) -> [UInt8] {
        let expected = description.frameByteCount
        guard !element.isEncapsulated, element.value.count >= expected else {
            throw GraftError(
                .image,
                "its pixels end after \(element.isEncapsulated ? 0 : element.value.count) of \(expected) bytes")
        }
        // Words of the other order are swapped; bytes are words too where the file says so.
        let isWords = element.representation == "OW" || description.bitsAllocated > 8
        guard !file.syntax.isLittleEndian, isWords else {
            return Array(file.bytes[element.value.prefix(expected)])
        }
        let width = max(description.bitsAllocated / 8, 2)
        let whole = Array(file.bytes[element.value.prefix((expected + width - 1) / width * width)])
        guard whole.count.isMultiple(of: width) else {
            throw GraftError(.image, "its pixels end in the middle of a word")
        }
        var swapped = whole
        for index in whole.indices { swapped[index] = whole[index / width * width + width - 1 - index % width] }
        return Array(swapped.prefix(expected))
    }

    /// Planes of red, green and blue as pixels.
    private static func interleaved(_ planes: [UInt8], _ description: DICOMDescription) -> [UInt8] {
        let (width, samples) = (description.bitsAllocated / 8, description.samples)
        let count = description.rows * description.columns
        var pixels = [UInt8](repeating: 0, count: planes.count)
        for sample in 0..<samples {
            for pixel in 0..<count {
                for byte in 0..<width {
                    pixels[(pixel * samples + sample) * width + byte] = planes[(sample * count + pixel) * width + byte]
                }
            }
        }
        return pixels
    }

    /// The compressed stream of the first frame. Where there is one frame, its fragments are one stream.
    private static func stream(
        _ file: DICOMReader, _ element: DICOMElement, frameCount: Int
    ) throws(GraftError) -> [UInt8] {
        guard element.isEncapsulated else {
            throw GraftError(.image, "its pixels should be compressed, and are not")
        }
        let fragments = try file.fragments(of: element)
        let first = try first(fragments)
        return frameCount > 1 ? Array(file.bytes[first]) : fragments.flatMap { file.bytes[$0] }
    }

    private static func first(_ fragments: [Range<Int>]) throws(GraftError) -> Range<Int> {
        guard let first = fragments.first else { throw GraftError(.image, "its pixels are empty") }
        return first
    }

    private static func check(height: Int, width: Int, _ description: DICOMDescription) throws(GraftError) {
        guard (height, width) == (description.rows, description.columns) else {
            throw GraftError(
                .image,
                "its pixels are \(width) × \(height), where the file says \(description.columns) × \(description.rows)")
        }
    }
}

/// A frame as run lengths: each byte of the values is a segment of its own, the upper ones first. Source: DICOM PS3.5, annex G.
enum RunLengthFrame {
    /// The frame's bytes, pixel by pixel and little-endian.
    ///
    /// - Throws: `GraftError` with code `image` for segments that are missing, or give too few bytes.
    static func decode(
        _ fragment: ArraySlice<UInt8>, _ description: DICOMDescription
    ) throws(GraftError) -> [UInt8] {
        let (width, samples) = (description.bitsAllocated / 8, description.samples)
        let count = description.rows * description.columns
        func number(_ index: Int) -> Int {
            (0..<4).reduce(0) { $0 | Int(fragment[fragment.startIndex + 4 * index + $1]) << (8 * $1) }
        }
        guard fragment.count >= 64, width >= 1, number(0) == width * samples, width * samples <= 15 else {
            throw GraftError(.image, "its run lengths do not have a segment for each byte of a value")
        }
        var pixels = [UInt8](repeating: 0, count: count * width * samples)
        for segment in 0..<width * samples {
            let begin = number(1 + segment)
            let end = segment + 1 < width * samples ? number(2 + segment) : fragment.count
            guard begin >= 64, begin <= end, end <= fragment.count else {
                throw GraftError(.image, "a segment of its run lengths lies outside of the frame")
            }
            let bytes = fragment[fragment.startIndex + begin..<fragment.startIndex + end]
            let place = segment / width * width + width - 1 - segment % width
            try expand(bytes, count: count) { pixels[$0 * width * samples + place] = $1 }
        }
        return pixels
    }

    /// PackBits: a byte up to 127 says how many bytes follow, less one; above 128, how often the next one is repeated.
    private static func expand(
        _ bytes: ArraySlice<UInt8>, count: Int, _ put: (Int, UInt8) -> Void
    ) throws(GraftError) {
        var (place, made) = (bytes.startIndex, 0)
        while made < count, place < bytes.endIndex {
            let control = Int(bytes[place])
            place += 1
            if control == 128 { continue }
            let length = control < 128 ? control + 1 : 257 - control
            guard place + (control < 128 ? length : 1) <= bytes.endIndex else { break }
            for index in 0..<min(length, count - made) {
                put(made + index, bytes[control < 128 ? place + index : place])
            }
            place += control < 128 ? length : 1
            made += length
        }
        guard made >= count else {
            throw GraftError(.image, "its run lengths give \(made) of \(count) bytes of a segment")
        }
    }
}
