import GraftGraph

/// Decodes Windows bitmaps: 1 to 32 bits a pixel, palettes, channel masks, run lengths, rows from either end.
///
/// libvips reads them only where it was built with ImageMagick, and then through ImageMagick.
enum BMPReader {
    /// What ``read(_:)`` takes, by the header: of palettes the numbers too.
    static func cost(of bytes: [UInt8]) throws(GraftError) -> DecodingCost {
        let header = try BMPHeader(bytes)
        try ImageDecoder.checkSize(width: header.width, height: header.height)
        return DecodingCost(
            width: header.width, height: header.height, inside: header.bitsPerPixel <= 8 ? 1 : 0, read: 3)
    }

    /// Decodes to RGB; stored alpha is dropped.
    static func read(_ bytes: [UInt8]) throws(GraftError) -> RawImage {
        let header = try BMPHeader(bytes)
        try ImageDecoder.checkSize(width: header.width, height: header.height)
        let pixels =
            switch header.compression {
            case .none, .masks, .masksWithAlpha:
                header.bitsPerPixel <= 8
                    ? colours(of: try indices(bytes, header), header) : try directColours(bytes, header)
            case .runLength8, .runLength4:
                colours(of: try runLengthIndices(bytes, header), header)
            }
        return RawImage(height: header.height, width: header.width, layout: .rgb, pixels: pixels)
    }

    /// The offset of each row's bytes from the top row down, all checked to lie inside the file.
    private static func rowOffsets(_ bytes: [UInt8], _ header: BMPHeader) throws(GraftError) -> [Int] {
        guard header.pixelOffset <= bytes.count,
            bytes.count - header.pixelOffset >= header.rowByteCount * header.height
        else { throw BMPHeader.truncation }
        return (0..<header.height).map { row in
            header.pixelOffset + header.rowByteCount * (header.isTopDown ? row : header.height - 1 - row)
        }
    }

    /// Palette numbers of 1, 4 or 8 bits, the leftmost pixel in the highest bits.
    private static func indices(_ bytes: [UInt8], _ header: BMPHeader) throws(GraftError) -> [UInt8] {
        let bits = header.bitsPerPixel
        let pixelsPerByte = 8 / bits
        var indices: [UInt8] = []
        indices.reserveCapacity(header.width * header.height)
        for offset in try rowOffsets(bytes, header) {
            for x in 0..<header.width {
                let byte = bytes[offset + x / pixelsPerByte]
                let shift = 8 - bits * (x % pixelsPerByte + 1)
                indices.append(byte >> shift & UInt8((1 << bits) - 1))
            }
        }
        return indices
    }

    /// Red, green and blue of palette numbers; a number outside the palette is black.
    private static func colours(of indices: [UInt8], _ header: BMPHeader) -> [UInt8] {
        var pixels: [UInt8] = []
        pixels.reserveCapacity(indices.count * 3)
        for index in indices {
            let position = 3 * Int(index)
            if position + 3 <= header.palette.count {
                pixels.append(header.palette[position])
                pixels.append(header.palette[position + 1])
                pixels.append(header.palette[position + 2])
            } else {
                pixels.append(contentsOf: [0, 0, 0])
            }
        }
        return pixels
    }

    /// Pixels of 16, 24 or 32 bits: masked channels, scaled to 0…255.
    private static func directColours(_ bytes: [UInt8], _ header: BMPHeader) throws(GraftError) -> [UInt8] {
        let channels = header.masks.map(MaskedChannel.init)
        let byteCount = header.bitsPerPixel / 8
        let isPlain = header.bitsPerPixel >= 24 && header.masks == [0xFF0000, 0x00FF00, 0x0000FF]
        var pixels: [UInt8] = []
        pixels.reserveCapacity(header.width * header.height * 3)
        for offset in try rowOffsets(bytes, header) {
            for x in 0..<header.width {
                let position = offset + x * byteCount
                if isPlain {
                    pixels.append(bytes[position + 2])
                    pixels.append(bytes[position + 1])
                    pixels.append(bytes[position])
                } else {
                    var value: UInt32 = 0
                    for byte in 0..<byteCount { value |= UInt32(bytes[position + byte]) << (8 * byte) }
                    for channel in channels { pixels.append(channel.level(in: value)) }
                }
            }
        }
        return pixels
    }

    /// Where a channel lies in a pixel.
    private struct MaskedChannel {
        let shift: Int
        let largest: UInt64

        init(mask: UInt32) {
            shift = mask == 0 ? 0 : mask.trailingZeroBitCount
            largest = UInt64(mask >> shift)
        }

        /// The channel's value, 0…255, rounded.
        func level(in pixel: UInt32) -> UInt8 {
            guard largest > 0 else { return 0 }
            let value = UInt64(pixel >> shift) & largest
            return UInt8(truncatingIfNeeded: min(255, (value * 255 + largest / 2) / largest))
        }
    }

    /// Palette numbers from run lengths (`BI_RLE8`, `BI_RLE4`): pairs of count and value; a count of 0 escapes to the
    /// end of the row (0), the end of the image (1), a jump (2), or a stretch of that many stored values.
    private static func runLengthIndices(_ bytes: [UInt8], _ header: BMPHeader) throws(GraftError) -> [UInt8] {
        var canvas = RunLengthCanvas(header)
        var position = header.pixelOffset
        while !canvas.isFull {
            guard position + 2 <= bytes.count else { throw BMPHeader.truncation }
            let (count, value) = (Int(bytes[position]), bytes[position + 1])
            position += 2
            switch (count, value) {
            case (0, 0):
                canvas.endRow()
            case (0, 1):
                return canvas.indices
            case (0, 2):
                guard position + 2 <= bytes.count else { throw BMPHeader.truncation }
                canvas.move(right: Int(bytes[position]), on: Int(bytes[position + 1]))
                position += 2
            case (0, let stored):
                let byteCount = (Int(stored) * header.bitsPerPixel + 7) / 8
                guard position + byteCount <= bytes.count else { throw BMPHeader.truncation }
                for pixel in 0..<Int(stored) {
                    canvas.put(
                        header.bitsPerPixel == 8 ? bytes[position + pixel] : nibble(bytes[position + pixel / 2], pixel))
                }
                position += (byteCount + 1) / 2 * 2
            default:
                for pixel in 0..<count { canvas.put(header.bitsPerPixel == 8 ? value : nibble(value, pixel)) }
            }
        }
        return canvas.indices
    }

    /// The upper four bits for an even pixel, the lower four for an odd one.
    private static func nibble(_ byte: UInt8, _ pixel: Int) -> UInt8 { pixel % 2 == 0 ? byte >> 4 : byte & 15 }

    /// Where the next pixel goes; whatever falls outside is ignored.
    private struct RunLengthCanvas {
        private(set) var indices: [UInt8]
        private let header: BMPHeader
        private var x = 0
        private var row = 0

        init(_ header: BMPHeader) {
            self.header = header
            indices = [UInt8](repeating: 0, count: header.width * header.height)
        }

        var isFull: Bool { row >= header.height }

        mutating func put(_ index: UInt8) {
            if x < header.width, row < header.height {
                let y = header.isTopDown ? row : header.height - 1 - row
                indices[y * header.width + x] = index
            }
            x += 1
        }

        mutating func endRow() {
            x = 0
            row += 1
        }

        mutating func move(right: Int, on rows: Int) {
            x += right
            row += rows
        }
    }
}
