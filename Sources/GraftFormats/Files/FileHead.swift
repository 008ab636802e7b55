import GraftGraph

/// The size and the first bytes of a file: what it seems to be.
struct FileHead {
    let byteCount: UInt64
    let bytes: [UInt8]

    /// - Throws: `.file` where the path is missing, a folder, or unreadable.
    init(path: String, count: Int) throws(GraftError) {
        let file = try FileDescriptor(reading: path)
        (byteCount, bytes) = (try file.byteCount(), try file.read(upTo: count))
    }

    init(byteCount: UInt64, bytes: [UInt8]) { (self.byteCount, self.bytes) = (byteCount, bytes) }

    /// The first bytes as text where they are text, else as hexadecimal: for messages.
    var preview: String {
        let first = bytes.prefix(24)
        if first.allSatisfy({ (0x20..<0x7F).contains($0) || $0 == 0x0A || $0 == 0x0D }) {
            let text = String(decoding: first, as: UTF8.self)
            return "\"\(text.replacing("\n", with: " ").replacing("\r", with: ""))\""
        }
        return first.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    }
}
