/// Files of texts, and standard input: bytes from outside, of whatever encoding.
public enum TextFile {
    /// The most bytes of a file that is one text.
    private static let maximumByteCount = 1 << 26

    /// The text of a file, as UTF-8, or UTF-16 where a byte order mark says so.
    ///
    /// - Throws: `GraftError` with code `file` where it cannot be read, `data` where it is of another encoding or empty.
    public static func text(contentsOf path: String) throws(GraftError) -> String {
        let text = try text(FileBytes.read(path, limit: maximumByteCount))
        guard !text.utf8.allSatisfy({ $0 <= 0x20 }) else { throw GraftError(.data, "is empty") }
        return text
    }

    /// The texts of a file with one a line; empty lines are none.
    ///
    /// - Throws: `GraftError` with code `file` where it cannot be read, `data` where it is of another encoding.
    public static func lines(contentsOf path: String) throws(GraftError) -> [String] {
        do throws(GraftError) {
            return try lines(FileBytes.read(path, limit: TextListing.maximumByteCount))
        } catch {
            throw error.inside(path)
        }
    }

    /// The texts of bytes with one a line; empty lines are none.
    ///
    /// - Throws: `GraftError` with code `data` where they are of another encoding.
    public static func lines(_ bytes: [UInt8]) throws(GraftError) -> [String] {
        try text(bytes).split { $0.isNewline }.map(String.init).filter { !$0.utf8.allSatisfy { $0 <= 0x20 } }
    }

    /// The text that bytes are.
    ///
    /// - Throws: `GraftError` with code `data` where they are of another encoding.
    static func text(_ bytes: [UInt8]) throws(GraftError) -> String {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return try text(Array(bytes.dropFirst(3))) }
        for (mark, isBigEndian) in [([0xFE, 0xFF] as [UInt8], true), ([0xFF, 0xFE], false)]
        where bytes.starts(with: mark) {
            if let text = utf16(bytes.dropFirst(2), isBigEndian: isBigEndian) { return text }
            throw GraftError(.data, "is UTF-16 by its first two bytes, and not by the others; save it as UTF-8")
        }
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        let place = firstInvalid(bytes)
        throw GraftError(
            .data,
            "is not UTF-8: byte \(place + 1) is 0x\(String(bytes[place], radix: 16)), as in Latin-1 or Windows-1252; convert it, such "
                + "as by iconv -f WINDOWS-1252 -t UTF-8")
    }

    private static func utf16(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool) -> String? {
        guard bytes.count.isMultiple(of: 2) else { return nil }
        let units = stride(from: bytes.startIndex, to: bytes.endIndex, by: 2).map { place in
            let (first, second) = (UInt16(bytes[place]), UInt16(bytes[place + 1]))
            return isBigEndian ? first << 8 | second : second << 8 | first
        }
        return String(validating: units, as: UTF16.self)
    }

    /// The place of the first byte that is no UTF-8.
    private static func firstInvalid(_ bytes: [UInt8]) -> Int {
        var (low, high) = (0, bytes.count)
        // What is valid is so up to a place, but for characters that are cut in the middle.
        while low < high {
            let middle = (low + high + 1) / 2
            var end = middle
            while end < bytes.count, end < middle + 3, bytes[end] & 0xC0 == 0x80 { end += 1 }
            if String(validating: bytes[..<end], as: UTF8.self) != nil { low = middle } else { high = middle - 1 }
        }
        return min(low, bytes.count - 1)
    }
}
