import GraftModel

/// Reads JSON text as Python's `json` writes it, `NaN` and `Infinity` included.
///
/// A reader of its own because Foundation's forgets what `Configuration` must keep: `1` is an integer and `1.0` is
/// not, as the two are different arguments to Keras. Untrusted: depth is limited, and so is the memory that the values take
/// together (see ``memoryAllowance``); every failure is an error with its line. Text is read where it is, and copied once, into
/// its value.
///
/// Source: RFC 8259; Python's `json` for the three numbers that are not JSON.
struct JSONReader {
    /// Deeper nesting than any model has: a model inside a model adds about six levels.
    static let depthLimit = 200
    /// What the values may take besides as many bytes as the text has: those of a network of ten thousand layers. Two bytes of
    /// text, `1,`, become a value of 16, and six, `{"":1}`, an object of 200.
    static let memoryAllowance = 32 << 20
    /// Python writes fractions with 17 digits at most.
    private static let longestNumber = 1_000

    private let bytes: [UInt8]
    private let refusesRepeatedNames: Bool
    private var position = 0
    private var depth = 0
    /// What the values may still take.
    private var memory: Int

    /// The value that a whole text says.
    ///
    /// - Parameter refusesRepeatedNames: whether a name that is twice in an object is an error; as in Python, its
    ///   last value counts otherwise.
    /// - Throws: `.format` with the line and what was expected there.
    static func read(_ bytes: [UInt8], refusesRepeatedNames: Bool = false) throws(GraftError) -> Configuration {
        var reader = JSONReader(bytes: bytes, refusesRepeatedNames: refusesRepeatedNames)
        let value = try reader.value()
        reader.skipSpace()
        guard reader.position == bytes.count else { throw reader.failure("nothing more") }
        return value
    }

    private init(bytes: [UInt8], refusesRepeatedNames: Bool) {
        (self.bytes, self.refusesRepeatedNames) = (bytes, refusesRepeatedNames)
        memory = Self.memoryAllowance + bytes.count
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    private mutating func value() throws(GraftError) -> Configuration {
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): return try nested { (reader) throws(GraftError) in try reader.object() }
        case UInt8(ascii: "["): return try nested { (reader) throws(GraftError) in try reader.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t") where take("true"): return .bool(true)
        case UInt8(ascii: "f") where take("false"): return .bool(false)
        case UInt8(ascii: "n") where take("null"): return .null
        case UInt8(ascii: "N") where take("NaN"): return .double(.nan)
        case UInt8(ascii: "I") where take("Infinity"): return .double(.infinity)
        case UInt8(ascii: "-") where take("-Infinity"): return .double(-.infinity)
        default: return try number()
        }
    }

    private mutating func nested(
        _ body: (inout JSONReader) throws(GraftError) -> Configuration
    ) throws(GraftError) -> Configuration {
        depth += 1
        guard depth <= Self.depthLimit else { throw failure("at most \(Self.depthLimit) levels") }
        position += 1
        let result = try body(&self)
        depth -= 1
        return result
    }

    private mutating func object() throws(GraftError) -> Configuration {
        var members: [String: Configuration] = [:]
        skipSpace()
        if take("}") { return .object(members) }
        try take(memory: Cost.object)
        while true {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw failure("a name in quotation marks") }
            let key = try string()
            skipSpace()
            guard take(":") else { throw failure("\":\" after \"\(key)\"") }
            try take(memory: Cost.member)
            let isRepeated = try members.updateValue(value(), forKey: key) != nil
            guard !isRepeated || !refusesRepeatedNames else { throw failure("each name once and not \"\(key)\" again") }
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw failure("\",\" or \"}\"") }
        }
    }

    private mutating func array() throws(GraftError) -> Configuration {
        var elements: [Configuration] = []
        skipSpace()
        if take("]") { return .array(elements) }
        try take(memory: Cost.array)
        while true {
            try take(memory: Cost.element)
            elements.append(try value())
            skipSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { throw failure("\",\" or \"]\"") }
        }
    }

    /// About what values take in memory, with the room that lists and dictionaries keep to grow.
    private enum Cost {
        static let array = 32
        static let element = 2 * MemoryLayout<Configuration>.stride
        static let object = 96
        static let member = 2 * (MemoryLayout<String>.stride + MemoryLayout<Configuration>.stride)
        /// Text of up to 15 bytes lies in its value.
        static func text(_ byteCount: Int) -> Int { byteCount > 15 ? byteCount + 32 : 0 }
    }

    private mutating func take(memory byteCount: Int) throws(GraftError) {
        memory -= byteCount
        guard memory >= 0 else {
            throw GraftError(
                .format,
                "JSON of too many values for its \(bytes.count) bytes: at byte \(position) they take more than "
                    + "\((Self.memoryAllowance + bytes.count) >> 20) MB of memory, which no configuration does")
        }
    }

    private mutating func number() throws(GraftError) -> Configuration {
        let start = position
        while let byte = current, Self.isPartOfNumber(byte) { position += 1 }
        guard position - start <= Self.longestNumber else {
            position = start
            throw failure("a number of at most \(Self.longestNumber) digits")
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if !text.isEmpty, Self.isNumber(text) {
            let isInteger = text.utf8.allSatisfy { $0 != UInt8(ascii: ".") && $0 | 0x20 != UInt8(ascii: "e") }
            if isInteger, let integer = Int(text) { return .int(integer) }
            if let double = Double(text) { return .double(double) }
        }
        position = start
        throw failure("a value")
    }

    private static func isPartOfNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }

    /// JSON's grammar for numbers, which is narrower than Swift's: no leading zero or plus, digits on both sides of a
    /// point.
    private static func isNumber(_ text: String) -> Bool {
        var rest = Substring(text)
        if rest.first == "-" { rest.removeFirst() }
        let whole = rest.prefix(while: \.isNumber)
        guard !whole.isEmpty, whole.count == 1 || whole.first != "0" else { return false }
        rest = rest.dropFirst(whole.count)
        if rest.first == "." {
            let fraction = rest.dropFirst().prefix(while: \.isNumber)
            guard !fraction.isEmpty else { return false }
            rest = rest.dropFirst(fraction.count + 1)
        }
        if rest.first == "e" || rest.first == "E" {
            rest.removeFirst()
            if rest.first == "+" || rest.first == "-" { rest.removeFirst() }
            guard !rest.isEmpty, rest.allSatisfy(\.isNumber) else { return false }
            return true
        }
        return rest.isEmpty
    }

    private mutating func string() throws(GraftError) -> String {
        position += 1
        var start = position
        // What stands before the last escape; empty, and never allocated, where there is none.
        var text: [UInt8] = []
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                try take(memory: Cost.text(text.count + position - start))
                let rest = bytes[start..<position]
                position += 1
                let string =
                    text.isEmpty
                    ? String(validating: rest, as: UTF8.self) : String(validating: text + rest, as: UTF8.self)
                guard let string else { throw failure("UTF-8 text") }
                return string
            case UInt8(ascii: "\\"):
                text += bytes[start..<position]
                position += 1
                text += try escape()
                start = position
            case 0..<0x20:
                throw failure("\"\\n\" and the like for control characters")
            default:
                position += 1
            }
        }
        throw failure("a closing quotation mark")
    }

    private mutating func escape() throws(GraftError) -> [UInt8] {
        guard let byte = current else { throw failure("a closing quotation mark") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [8]
        case UInt8(ascii: "f"): return [12]
        case UInt8(ascii: "n"): return [10]
        case UInt8(ascii: "r"): return [13]
        case UInt8(ascii: "t"): return [9]
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw failure("one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u")
        }
    }

    /// `\u0041`, and pairs of them for what lies above U+FFFF. Half a pair becomes U+FFFD, as text cannot hold it.
    private mutating func unicodeEscape() throws(GraftError) -> [UInt8] {
        var code = try fourDigits()
        if (0xD800..<0xDC00).contains(code), take("\\u") {
            let low = try fourDigits()
            if (0xDC00..<0xE000).contains(low) {
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            } else {
                position -= 6
            }
        }
        let scalar = Unicode.Scalar(code) ?? "\u{FFFD}"
        return Array(String(Character(scalar)).utf8)
    }

    private mutating func fourDigits() throws(GraftError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw failure("four digits after \\u") }
        let digits = bytes[position..<position + 4]
        guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw failure("four digits after \\u") }
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
        let line = bytes.prefix(position).count { $0 == 0x0A } + 1
        let found = bytes[min(position, bytes.count)...].prefix(12)
        let shown = found.isEmpty ? "the end" : "\"\(String(decoding: found, as: UTF8.self))\""
        return GraftError(
            .format, "not valid JSON: line \(line), byte \(position): expected \(expected), found \(shown)")
    }
}
