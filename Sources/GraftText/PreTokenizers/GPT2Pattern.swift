/// GPT-2's regular expression, by hand:
/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
///
/// Source: openai/gpt-2 `encoder.py`.
enum GPT2Pattern {
    /// Splits each piece into the pattern's matches; they cover it.
    static func split(_ pieces: inout Pieces, _ tables: UnicodeTables) {
        pieces.split { bytes, range, result in
            var position = range.lowerBound
            while position < range.upperBound {
                let end = matchEnd(bytes, position, range.upperBound, tables)
                result.append(position..<end)
                position = end
            }
        }
    }

    /// Where the match ends that begins at a position.
    @inline(__always)
    private static func matchEnd(
        _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ limit: Int, _ tables: UnicodeTables
    ) -> Int {
        if bytes[start] == UInt8(ascii: "'"), let end = contractionEnd(bytes, start, limit) { return end }
        let first = UTF8Scalar(bytes, at: start)
        let kind = kind(first.value, tables)
        if kind != .space { return runEnd(of: kind, bytes, start + first.count, limit, tables) }
        // One space belongs to the word after it.
        let next = start + first.count
        if first.value == 0x20, next < limit {
            let second = UTF8Scalar(bytes, at: next)
            let kind = Self.kind(second.value, tables)
            if kind != .space { return runEnd(of: kind, bytes, next + second.count, limit, tables) }
        }
        return spacesEnd(bytes, start, limit, tables)
    }

    /// `\s+(?!\S)|\s+`: all spaces at the end of a text; else all but the last, if there are two.
    private static func spacesEnd(
        _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ limit: Int, _ tables: UnicodeTables
    ) -> Int {
        var (position, last) = (start, start)
        while position < limit {
            let scalar = UTF8Scalar(bytes, at: position)
            guard kind(scalar.value, tables) == .space else { break }
            last = position
            position += scalar.count
        }
        return position == limit || last == start ? position : last
    }

    private static func runEnd(
        of kind: Kind, _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ limit: Int, _ tables: UnicodeTables
    ) -> Int {
        var position = start
        while position < limit {
            let scalar = UTF8Scalar(bytes, at: position)
            guard Self.kind(scalar.value, tables) == kind else { break }
            position += scalar.count
        }
        return position
    }

    private enum Kind {
        case letter, number, space, other
    }

    @inline(__always)
    private static func kind(_ scalar: UInt32, _ tables: UnicodeTables) -> Kind {
        let classes = tables.classes(of: scalar)
        if classes.contains(.letter) { return .letter }
        if classes.contains(.number) { return .number }
        return classes.contains(.space) ? .space : .other
    }

    private static func contractionEnd(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ limit: Int) -> Int? {
        guard start + 1 < limit else { return nil }
        let first = bytes[start + 1]
        switch first {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start + 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"):
            return start + 2 < limit && bytes[start + 2] == UInt8(ascii: "e") ? start + 3 : nil
        case UInt8(ascii: "l"):
            return start + 2 < limit && bytes[start + 2] == UInt8(ascii: "l") ? start + 3 : nil
        default: return nil
        }
    }
}
