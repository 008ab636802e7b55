/// Reads JSON text (RFC 8259) into ``OrderedJSON``.
///
/// Untrusted: the text's size and its depth are limited, so that values take at most some twenty times its bytes, and every
/// failure is an error with its place.
struct OrderedJSONReader {
    /// The largest vocabularies, of a quarter of a million tokens, take half of it.
    static let maximumByteCount = 1 << 26
    static let depthLimit = 64

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    /// The value that a whole text says.
    ///
    /// - Throws: `.format` with the place and what was expected there.
    static func read(_ bytes: [UInt8]) throws(GraftError) -> OrderedJSON {
        guard bytes.count <= maximumByteCount else {
            throw GraftError(.format, "it has \(bytes.count) bytes; a tokenizer has at most \(maximumByteCount)")
        }
        var reader = OrderedJSONReader(bytes: bytes)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.position = 3 }
        let value = try reader.value()
        reader.skipSpace()
        guard reader.position == bytes.count else { throw reader.failure("nothing more") }
        return value
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func value() throws(GraftError) -> OrderedJSON {
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): return try nested { (reader) throws(GraftError) in .object(try reader.members()) }
        case UInt8(ascii: "["): return try nested { (reader) throws(GraftError) in .array(try reader.elements()) }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t") where take("true"): return .bool(true)
        case UInt8(ascii: "f") where take("false"): return .bool(false)
        case UInt8(ascii: "n") where take("null"): return .null
        default: return try number()
        }
    }

    private mutating func nested(
        _ body: (inout OrderedJSONReader) throws(GraftError) -> OrderedJSON
    ) throws(GraftError) -> OrderedJSON {
        depth += 1
        guard depth <= Self.depthLimit else { throw failure("at most \(Self.depthLimit) levels") }
        position += 1
        let result = try body(&self)
        depth -= 1
        return result
    }

    private mutating func members() throws(GraftError) -> [OrderedJSON.Member] {
        var members: [OrderedJSON.Member] = []
        skipSpace()
        if take("}") { return members }
        while true {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw failure("a name in quotation marks") }
            let name = try string()
            skipSpace()
            guard take(":") else { throw failure("\":\"") }
            members.append(OrderedJSON.Member(name: name, value: try value()))
            skipSpace()
            if take("}") { return members }
            guard take(",") else { throw failure("\",\" or \"}\"") }
        }
    }

    private mutating func elements() throws(GraftError) -> [OrderedJSON] {
        var elements: [OrderedJSON] = []
        skipSpace()
        if take("]") { return elements }
        while true {
            elements.append(try value())
            skipSpace()
            if take("]") { return elements }
            guard take(",") else { throw failure("\",\" or \"]\"") }
        }
    }

    private mutating func number() throws(GraftError) -> OrderedJSON {
        let start = position
        var isInteger = true
        while let byte = current {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"): break
            case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): isInteger = false
            default:
                return try number(in: start..<position, isInteger: isInteger)
            }
            position += 1
        }
        return try number(in: start..<position, isInteger: isInteger)
    }

    private mutating func number(in range: Range<Int>, isInteger: Bool) throws(GraftError) -> OrderedJSON {
        let digits = bytes[range]
        if (1...64).contains(digits.count), digits.first != UInt8(ascii: "+") {
            let text = String(decoding: digits, as: UTF8.self)
            if isInteger, let value = Int(text) { return .int(value) }
            if let value = Double(text), value.isFinite { return .double(value) }
        }
        position = range.lowerBound
        throw failure("a value")
    }

    private mutating func string() throws(GraftError) -> [UInt8] {
        let opening = position
        position += 1
        var start = position
        var text: [UInt8] = []
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                text += bytes[start..<position]
                position += 1
                guard String(validating: text, as: UTF8.self) != nil else {
                    position = opening
                    throw failure("UTF-8 text")
                }
                return text
            case UInt8(ascii: "\\"):
                text += bytes[start..<position]
                position += 1
                try appendEscape(to: &text)
                start = position
            case 0..<0x20: throw failure("no control character in a text")
            default: position += 1
            }
        }
        throw failure("a closing quotation mark")
    }

    private mutating func appendEscape(to text: inout [UInt8]) throws(GraftError) {
        guard let byte = current else { throw failure("a closing quotation mark") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "n"): text.append(10)
        case UInt8(ascii: "r"): text.append(13)
        case UInt8(ascii: "t"): text.append(9)
        case UInt8(ascii: "u"): text.append(scalar: try escapedScalar())
        default: throw failure("one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u")
        }
    }

    /// `\u0041`, and pairs of them for what lies above U+FFFF; half a pair is an error, as in the package.
    private mutating func escapedScalar() throws(GraftError) -> UInt32 {
        let code = try fourDigits()
        guard (0xD800..<0xE000).contains(code) else { return code }
        guard code < 0xDC00, take("\\u") else { throw failure("the second half of a surrogate pair") }
        let low = try fourDigits()
        guard (0xDC00..<0xE000).contains(low) else { throw failure("the second half of a surrogate pair") }
        return 0x1_0000 + (code - 0xD800) << 10 + (low - 0xDC00)
    }

    private mutating func fourDigits() throws(GraftError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw failure("four digits after \\u") }
        var code: UInt32 = 0
        for byte in bytes[position..<(position + 4)] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw failure("four digits after \\u")
            }
            code = code << 4 | UInt32(digit)
        }
        position += 4
        return code
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ word: StaticString) -> Bool {
        let expected = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard bytes[min(position, bytes.count)...].starts(with: expected) else { return false }
        position += expected.count
        return true
    }

    private func failure(_ expected: String) -> GraftError {
        let found = bytes[min(position, bytes.count)...].prefix(12)
        let shown = found.isEmpty ? "the end" : "\"\(found.printable)\""
        return GraftError(.format, "not valid JSON: byte \(position): expected \(expected), found \(shown)")
    }
}
