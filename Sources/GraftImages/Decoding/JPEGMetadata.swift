/// What a JPEG file says next to its pixels: how the camera was held, whether it carries a colour profile, and how coarsely
/// it was stored.
///
/// Walks the marker segments up to the first scan (ITU-T T.81, annex B). Nothing in a file is trusted: every length is
/// checked against the bytes that are there, and whatever does not make sense counts as absent.
struct JPEGMetadata {
    private(set) var orientation = Orientation.upright
    private(set) var hasColourProfile = false
    /// The quality of 1 to 100 whose table of brightness, by the Independent JPEG Group's rule, has the mean of the file's first
    /// one; `nil` where there is none.
    private(set) var quality: Double?

    init(_ bytes: [UInt8]) {
        var position = 2
        while position + 4 <= bytes.count, bytes[position] == 0xFF {
            let marker = bytes[position + 1]
            if marker == 0xFF {
                position += 1
                continue
            }
            if marker == 0xDA || marker == 0xD9 { return }
            let length = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
            guard length >= 2, position + 2 + length <= bytes.count else { return }
            note(marker, bytes[(position + 4)..<(position + 2 + length)])
            position += 2 + length
        }
    }

    private mutating func note(_ marker: UInt8, _ payload: ArraySlice<UInt8>) {
        if marker == 0xE1, payload.starts(with: [0x45, 0x78, 0x69, 0x66, 0, 0]) {
            orientation = Orientation(exif: payload.dropFirst(6)) ?? orientation
        } else if marker == 0xE2, payload.starts(with: "ICC_PROFILE\0".utf8) {
            hasColourProfile = true
        } else if marker == 0xDB, quality == nil {
            quality = Self.quality(ofTable: payload)
        }
    }

    /// The Independent JPEG Group scales the table of annex K.1, whose mean is 57.625, by 5000 / quality % below 50 and by
    /// 200 − 2 · quality % from there on (jcparam.c, `jpeg_quality_scaling`).
    private static func quality(ofTable payload: ArraySlice<UInt8>) -> Double? {
        guard let head = payload.first else { return nil }
        let isWide = head >> 4 != 0
        let bytes = payload.dropFirst().prefix(isWide ? 128 : 64)
        guard bytes.count == (isWide ? 128 : 64) else { return nil }
        let sum = bytes.enumerated().reduce(0) { sum, entry in
            sum + Int(entry.element) << (isWide && entry.offset.isMultiple(of: 2) ? 8 : 0)
        }
        let percent = 100 * Double(sum) / 64 / 57.625
        return min(max(percent > 100 ? 5000 / percent : (200 - percent) / 2, 1), 100)
    }
}

extension Orientation {
    /// The orientation in an EXIF block, which is a small TIFF file; `nil` where it has none that makes sense.
    init?(exif: ArraySlice<UInt8>) {
        let bytes = Array(exif)
        let isBigEndian: Bool
        if bytes.starts(with: [0x4D, 0x4D, 0, 0x2A]) {
            isBigEndian = true
        } else if bytes.starts(with: [0x49, 0x49, 0x2A, 0]) {
            isBigEndian = false
        } else {
            return nil
        }

        func number(at position: Int, byteCount: Int) -> Int? {
            guard position >= 0, position <= bytes.count - byteCount else { return nil }
            let digits = bytes[position..<(position + byteCount)]
            return isBigEndian
                ? digits.reduce(0) { $0 << 8 | Int($1) } : digits.reversed().reduce(0) { $0 << 8 | Int($1) }
        }

        guard let directory = number(at: 4, byteCount: 4), let count = number(at: directory, byteCount: 2) else {
            return nil
        }
        for entry in 0..<count {
            let position = directory + 2 + 12 * entry
            guard let tag = number(at: position, byteCount: 2) else { return nil }
            guard tag == 0x0112 else { continue }
            guard number(at: position + 2, byteCount: 2) == 3, let value = number(at: position + 8, byteCount: 2) else {
                return nil
            }
            self.init(rawValue: value)
            return
        }
        return nil
    }
}
