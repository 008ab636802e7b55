/// The chunks of a PNG file, by their declared lengths (PNG specification, section 5.3; APNG for `acTL`).
enum PNGChunks {
    /// The frames that an animation chunk declares; 1 where there is none.
    static func frameCount(in bytes: [UInt8]) -> Int {
        var position = 8
        while let length = bytes.bigEndian(at: position, byteCount: 4), position + 12 + length <= bytes.count {
            let name = bytes[(position + 4)..<(position + 8)]
            if name.elementsEqual("acTL".utf8) { return max(1, bytes.bigEndian(at: position + 8, byteCount: 4) ?? 1) }
            if name.elementsEqual("IDAT".utf8) { return 1 }
            position += 12 + length
        }
        return 1
    }

    private static let packed: Set<String> = ["zTXt", "iTXt", "iCCP"]
    private static let signatureByteCount = 8

    /// The file without texts and profiles: they are packed, a few kilobytes can unpack to gigabytes, and nothing of them is
    /// used. What cannot be understood stays as it is, for the library to refuse.
    static func withoutTexts(_ bytes: [UInt8]) -> [UInt8] {
        var kept: [Range<Int>] = []
        var (start, position) = (0, signatureByteCount)
        while position + 12 <= bytes.count {
            guard let length = bytes.bigEndian(at: position, byteCount: 4) else { break }
            let next = position + 12 + length
            guard next <= bytes.count else { break }
            if packed.contains(String(decoding: bytes[position + 4..<position + 8], as: UTF8.self)) {
                kept.append(start..<position)
                start = next
            }
            position = next
        }
        guard !kept.isEmpty else { return bytes }
        kept.append(start..<bytes.count)
        return kept.flatMap { bytes[$0] }
    }
}

extension [UInt8] {
    /// A number in the file; `nil` where its bytes are not there.
    func bigEndian(at position: Int, byteCount: Int) -> Int? {
        guard position >= 0, position <= count - byteCount else { return nil }
        return self[position..<(position + byteCount)].reduce(0) { $0 << 8 | Int($1) }
    }

    /// A number in the file; `nil` where its bytes are not there.
    func littleEndian(at position: Int, byteCount: Int) -> Int? {
        guard position >= 0, position <= count - byteCount else { return nil }
        return self[position..<(position + byteCount)].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
