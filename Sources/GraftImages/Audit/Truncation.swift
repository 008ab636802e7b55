import GraftGraph

/// Whether a file that cannot be decoded ends before its own structure says.
///
/// Decoders call damage and truncation by many names. This walks the outer structure instead: chunks, blocks, boxes and offsets
/// say where the file should end. Nothing is trusted: every step moves on or stops.
enum Truncation {
    /// - Parameter failure: what the decoder said.
    static func isTruncated(_ bytes: [UInt8], _ format: ImageFormat, failure: GraftError) -> Bool {
        switch format {
        case .jpeg: failure.message.contains(JPEGReader.truncationWords)
        case .dicom: failure.message.contains("the file ends") || failure.message.contains("pixels end after")
        case .bmp: failure.message == BMPHeader.truncation.message
        case .png: endsEarlyPNG(bytes)
        case .gif: endsEarlyGIF(bytes)
        case .webP: bytes.littleEndian(at: 4, byteCount: 4).map { $0 + 8 > bytes.count } ?? true
        case .tiff: endsEarlyTIFF(bytes)
        case .heif: endsEarlyHEIF(bytes)
        }
    }

    /// Chunks up to `IEND` (PNG specification, 5.3).
    private static func endsEarlyPNG(_ bytes: [UInt8]) -> Bool {
        var position = 8
        while let length = bytes.bigEndian(at: position, byteCount: 4) {
            guard position + 12 + length <= bytes.count else { return true }
            if bytes[(position + 4)..<(position + 8)].elementsEqual("IEND".utf8) { return false }
            position += 12 + length
        }
        return true
    }

    /// Blocks up to the trailer (GIF89a, appendix B).
    private static func endsEarlyGIF(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= 13 else { return true }
        var position = 13 + colourTable(bytes[10])
        while position < bytes.count {
            switch bytes[position] {
            case 0x3B: return false
            case 0x21: position += 2
            case 0x2C:
                guard position + 10 <= bytes.count else { return true }
                position += 11 + colourTable(bytes[position + 9])
            default: return false
            }
            while position < bytes.count, bytes[position] != 0 { position += 1 + Int(bytes[position]) }
            position += 1
        }
        return true
    }

    private static func colourTable(_ flags: UInt8) -> Int { flags & 0x80 == 0 ? 0 : 3 << (Int(flags & 7) + 1) }

    /// The first directory, and the strips or tiles that it names (TIFF 6.0, sections 2, 3 and 15).
    private static func endsEarlyTIFF(_ bytes: [UInt8]) -> Bool {
        let isBig = bytes.first == 0x4D
        func number(_ position: Int, _ count: Int) -> Int? {
            isBig ? bytes.bigEndian(at: position, byteCount: count) : bytes.littleEndian(at: position, byteCount: count)
        }
        guard let directory = number(4, 4), let count = number(directory, 2) else { return true }
        var (offsets, sizes): ([Int], [Int]) = ([], [])
        for entry in 0..<count {
            let position = directory + 2 + 12 * entry
            guard let tag = number(position, 2), let type = number(position + 2, 2),
                let length = number(position + 4, 4), let value = number(position + 8, 4)
            else { return true }
            guard [273, 279, 324, 325].contains(tag), type == 3 || type == 4 else { continue }
            let width = type == 3 ? 2 : 4
            let start = length * width <= 4 ? position + 8 : value
            guard start + length * width <= bytes.count else { return true }
            let values = (0..<length).map { number(start + $0 * width, width) ?? 0 }
            if tag == 273 || tag == 324 { offsets = values } else { sizes = values }
        }
        return zip(offsets, sizes).contains { $0 + $1 > bytes.count }
    }

    /// Boxes to the end of the file (ISO/IEC 14496-12, 4.2).
    private static func endsEarlyHEIF(_ bytes: [UInt8]) -> Bool {
        var position = 0
        while position < bytes.count {
            guard var size = bytes.bigEndian(at: position, byteCount: 4) else { return true }
            if size == 0 { return false }
            if size == 1 {
                guard let upper = bytes.bigEndian(at: position + 8, byteCount: 4), upper == 0,
                    let lower = bytes.bigEndian(at: position + 12, byteCount: 4)
                else { return true }
                size = lower
            }
            guard size >= 8 else { return false }
            guard position + size <= bytes.count else { return true }
            position += size
        }
        return false
    }
}
