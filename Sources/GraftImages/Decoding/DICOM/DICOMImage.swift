import Foundation
import GraftData
import GraftGraph

/// Decodes the first frame of a DICOM file to 8-bit grey or RGB, as a viewer shows it: values in the modality's units
/// (`slope · stored + intercept`), through a window to 0…255, rounded, with the smallest value black.
///
/// The window is the one that was asked for, else the first one in the file, else all that the stored bits hold where those are 8
/// or fewer, else from the frame's smallest to its largest value.
enum DICOMImage {
    /// The most bytes of a deflated data set: those of the largest image, as those of `ImageDecoder.maximumPixelCount`.
    static let maximumByteCount = 3 * ImageDecoder.maximumPixelCount

    /// What ``read(_:window:)`` takes, by the header: the frame's values beside the pixels.
    ///
    /// - Throws: as ``read(_:window:)``.
    static func cost(of bytes: [UInt8]) throws(GraftError) -> DecodingCost {
        let file = try DICOMReader(bytes, limit: maximumByteCount)
        let description = try DICOMDescription(file)
        let deflated = file.syntax == .deflated ? file.bytes.count : 0
        return DecodingCost(
            width: description.columns, height: description.rows,
            inside: description.samples * max(description.bitsAllocated / 8, 1),
            read: description.photometric == .monochrome1 || description.photometric == .monochrome2 ? 1 : 3,
            others: deflated)
    }

    /// - Throws: `GraftError` with code `image` where it is damaged, has no image, or one that Graft does not read.
    static func read(_ bytes: [UInt8], window: IntensityWindow?) throws(GraftError) -> RawImage {
        let file = try DICOMReader(bytes, limit: maximumByteCount)
        let frame = try DICOMFrame(file)
        let description = frame.description
        let layout: RawImage.Layout
        let pixels: [UInt8]
        switch description.photometric {
        case .monochrome1, .monochrome2:
            (layout, pixels) = (.grey, greys(frame, window))
        case .palette:
            (layout, pixels) = (.rgb, try Palette(file).colours(of: frame))
        case .rgb, .ybrReversible, .ybrIrreversible:
            (layout, pixels) = (.rgb, colours(frame))
        case .ybrFull:
            (layout, pixels) = (
                .rgb,
                frame.isRGB
                    ? colours(frame)
                    : rgb(frame) {
                        3 * $0
                    } chroma: {
                        3 * $0 + 1
                    }
            )
        case .ybrFull422:
            // Two brightnesses, then the colour of both.
            let pixels422 =
                frame.isRGB
                ? colours(frame)
                : rgb(frame) {
                    4 * ($0 / 2) + $0 % 2
                } chroma: {
                    4 * ($0 / 2) + 2
                }
            (layout, pixels) = (.rgb, pixels422)
        }
        return RawImage(height: description.rows, width: description.columns, layout: layout, pixels: pixels)
    }

    // MARK: Grey

    private static func greys(_ frame: DICOMFrame, _ chosen: IntensityWindow?) -> [UInt8] {
        let description = frame.description
        let count = description.valueCount
        let brightness = chosen.map(IntensityWindowFunction.init) ?? description.window
        let range = brightness == nil ? range(of: frame, count: count) : 0...0
        func rendered(_ stored: Int) -> UInt8 {
            let value = Double(stored) * description.slope + description.intercept
            let level =
                brightness.map { $0(value) }
                ?? 255 * Double(stored - range.lowerBound) / Double(max(range.upperBound - range.lowerBound, 1))
            let grey = UInt8(max(0, min(255, level.rounded())))
            return description.photometric == .monochrome1 ? 255 - grey : grey
        }
        guard frame.bitsAllocated <= 16 else { return (0..<count).map { rendered(frame.value(at: $0)) } }
        // A table of all values that there are: pixels are many.
        let bits = min(description.bitsStored, frame.bitsAllocated)
        let least = description.isSigned ? -(1 << (bits - 1)) : 0
        let table = (0..<1 << bits).map { rendered(least + $0) }
        return (0..<count).map { table[frame.value(at: $0) - least] }
    }

    /// What becomes black and white where nothing says so.
    private static func range(of frame: DICOMFrame, count: Int) -> ClosedRange<Int> {
        let description = frame.description
        if description.bitsStored <= 8, !description.isSigned { return 0...((1 << description.bitsStored) - 1) }
        var (least, largest) = (Int.max, Int.min)
        for index in 0..<count {
            let value = frame.value(at: index)
            (least, largest) = (min(least, value), max(largest, value))
        }
        return least <= largest ? least...largest : 0...1
    }

    // MARK: Colours

    /// The upper eight of the stored bits.
    private static func colours(_ frame: DICOMFrame) -> [UInt8] {
        if frame.bitsAllocated == 8 { return frame.bytes }
        let shift = max(min(frame.description.bitsStored, frame.bitsAllocated) - 8, 0)
        return (0..<frame.description.valueCount).map { UInt8(truncatingIfNeeded: frame.value(at: $0) >> shift) }
    }

    /// Red, green and blue of the full range of BT.601, where brightness and colour (Cb, then Cr) of a pixel stand at these places.
    /// Source: DICOM PS3.3, C.7.6.3.1.2.
    private static func rgb(
        _ frame: DICOMFrame, brightness: (Int) -> Int, chroma: (Int) -> Int
    ) -> [UInt8] {
        var pixels: [UInt8] = []
        pixels.reserveCapacity(frame.description.valueCount)
        func byte(_ value: Double) -> UInt8 { UInt8(max(0, min(255, value.rounded()))) }
        for pixel in 0..<frame.description.rows * frame.description.columns {
            let y = Double(frame.value(at: brightness(pixel)))
            let (blue, red) = (
                Double(frame.value(at: chroma(pixel))) - 128, Double(frame.value(at: chroma(pixel) + 1)) - 128
            )
            pixels += [byte(y + 1.402 * red), byte(y - 0.344136 * blue - 0.714136 * red), byte(y + 1.772 * blue)]
        }
        return pixels
    }
}

/// The tables of a PALETTE COLOR image. Source: DICOM PS3.3, C.7.6.3.1.5 and C.7.6.3.1.6.
private struct Palette {
    private let tables: [[UInt8]]
    private let first: Int

    /// - Throws: `GraftError` with code `image` where a table is missing or too short.
    init(_ file: DICOMReader) throws(GraftError) {
        var tables: [[UInt8]] = []
        var first = 0
        for (descriptor, data) in zip(DICOMTag.paletteDescriptors, DICOMTag.paletteData) {
            guard let facts = file.words(descriptor), facts.count >= 3, let element = file.elements[data] else {
                throw GraftError(.image, "one of its three tables of colours is missing")
            }
            // A table of 65,536 entries says 0.
            let count = facts[0] == 0 ? 1 << 16 : facts[0]
            first = facts[1]
            let words = file.words(data) ?? []
            if facts[2] == 8, element.value.count >= count, element.value.count < 2 * count {
                tables.append(Array(file.bytes[element.value.prefix(count)]))
            } else if words.count >= count {
                tables.append(words.prefix(count).map { UInt8(truncatingIfNeeded: facts[2] == 8 ? $0 : $0 >> 8) })
            } else {
                throw GraftError(.image, "a table of \(count) colours has \(words.count)")
            }
        }
        (self.tables, self.first) = (tables, first)
    }

    func colours(of frame: DICOMFrame) -> [UInt8] {
        var pixels: [UInt8] = []
        pixels.reserveCapacity(3 * frame.description.valueCount)
        for index in 0..<frame.description.valueCount {
            let entry = frame.value(at: index) - first
            for table in tables { pixels.append(table[max(0, min(table.count - 1, entry))]) }
        }
        return pixels
    }
}
