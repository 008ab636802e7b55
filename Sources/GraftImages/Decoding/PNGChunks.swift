/// PNG files without what is not their pixels: texts and profiles are packed, a few kilobytes can unpack to gigabytes, and
/// nothing of them is used.
///
/// Source: W3C, "Portable Network Graphics (PNG) Specification", section 5.3.
enum PNGChunks {
    private static let packed: Set<String> = ["zTXt", "iTXt", "iCCP"]
    private static let signatureByteCount = 8

    /// The file without those chunks; what cannot be understood stays as it is, for the library to refuse.
    static func withoutTexts(_ bytes: [UInt8]) -> [UInt8] {
        var kept: [Range<Int>] = []
        var (start, position) = (0, signatureByteCount)
        while position + 12 <= bytes.count {
            let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
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
