/// The size and the first bytes of a file: what it seems to be.
package struct FileHead {
    package let byteCount: UInt64
    package let bytes: [UInt8]

    /// - Throws: `.file` where the path is missing, a folder, or unreadable.
    package init(path: String, count: Int) throws(GraftError) {
        let file = try File(reading: path)
        (byteCount, bytes) = (UInt64(file.byteCount), try file.read(upTo: count))
    }

    package init(byteCount: UInt64, bytes: [UInt8]) { (self.byteCount, self.bytes) = (byteCount, bytes) }

    /// The first bytes as text where they are text, else as hexadecimal: for messages.
    package var preview: String {
        let first = bytes.prefix(24)
        if first.allSatisfy({ (0x20..<0x7F).contains($0) || $0 == 0x0A || $0 == 0x0D }) {
            let text = String(decoding: first, as: UTF8.self)
            return "\"\(text.replacing("\n", with: " ").replacing("\r", with: ""))\""
        }
        return first.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    }
}
