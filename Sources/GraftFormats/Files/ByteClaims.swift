/// Which bytes of a file belong to a structure already: each to one at most.
///
/// Claims cost time and memory in proportion to the file alone, in whatever order they come: since no byte is claimed twice,
/// their sum is at most the file. A page that a claim covers whole is one bit; of the others each byte is one.
struct ByteClaims {
    private static let pageByteCount = 4096
    private static let wordCount = pageByteCount / 64

    /// A bit a page that is claimed whole.
    private var whole: [UInt64]
    /// A bit a byte, of the pages that are claimed in part.
    private var partial: [Int: [UInt64]] = [:]

    /// None of so many bytes is claimed.
    init(byteCount: Int) {
        whole = [UInt64](repeating: 0, count: (byteCount / Self.pageByteCount + 64) / 64)
    }

    /// Claims bytes that lie inside the file; false, with nothing claimed for good, where one of them is claimed already.
    mutating func claim(_ range: Range<Int>) -> Bool {
        var start = range.lowerBound
        while start < range.upperBound {
            let page = start / Self.pageByteCount
            let first = page * Self.pageByteCount
            let end = min(range.upperBound, first + Self.pageByteCount)
            guard claim(start - first..<end - first, ofPage: page) else { return false }
            start = end
        }
        return true
    }

    private mutating func claim(_ bytes: Range<Int>, ofPage page: Int) -> Bool {
        let bit = UInt64(1) << UInt64(page % 64)
        guard whole[page / 64] & bit == 0 else { return false }
        if bytes.count == Self.pageByteCount {
            guard partial[page] == nil else { return false }
            whole[page / 64] |= bit
            return true
        }
        return Self.claim(bytes, in: &partial[page, default: [UInt64](repeating: 0, count: Self.wordCount)])
    }

    private static func claim(_ bytes: Range<Int>, in words: inout [UInt64]) -> Bool {
        for word in bytes.lowerBound / 64...(bytes.upperBound - 1) / 64 {
            let lower = max(bytes.lowerBound - 64 * word, 0)
            let count = min(bytes.upperBound - 64 * word, 64) - lower
            let mask = (count == 64 ? .max : UInt64(1) << UInt64(count) - 1) << UInt64(lower)
            guard words[word] & mask == 0 else { return false }
            words[word] |= mask
        }
        return true
    }
}
