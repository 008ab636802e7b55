/// Text from outside as a person may read it: what would steer a terminal, change the order of what is read, or not be seen at
/// all, is written as an escape.
///
/// File names, class names, layer names and the messages of libraries come from others. Raw, one of them can move the cursor,
/// set a window's title, or make `gpj.exe` read as `exe.jpg`. This is the one place where they are made harmless; whatever
/// writes to a terminal, a chart or a report passes text from outside through it.
extension String {
    /// The text with each character that is not to be seen as an escape: `\n`, `\r`, `\t`, `\u{1b}`.
    ///
    /// Escaped are Unicode's general categories Cc (controls), Cf (formats: among them the bidirectional overrides, zero-width
    /// spaces and tags), Zl, Zp (separators of lines and paragraphs), Co (private use) and Cn (unassigned). The two joiners
    /// U+200C and U+200D stay: Persian, Indic scripts and emoji are written with them. A backslash stays as it is, so that
    /// text which was escaped once is not changed by being escaped again.
    package var printable: String {
        guard unicodeScalars.contains(where: \.isHidden) else { return self }
        var result = ""
        for scalar in unicodeScalars {
            if scalar.isHidden { result += scalar.escape } else { result.unicodeScalars.append(scalar) }
        }
        return result
    }
}

extension Sequence<UInt8> {
    /// Bytes that should be UTF-8 as text: what is not is written as `\xff`, and the rest as ``Swift/String/printable``.
    package var printable: String {
        var result = ""
        var decoder = UTF8ByByte()
        for byte in self { result += decoder.take(byte) }
        return result + decoder.finish()
    }
}

/// UTF-8 to text, with the bytes that are none as escapes.
private struct UTF8ByByte {
    /// The bytes of a scalar that is not whole yet.
    private var pending: [UInt8] = []

    mutating func take(_ byte: UInt8) -> String {
        if !pending.isEmpty, byte & 0xC0 == 0x80 {
            pending.append(byte)
            return pending.count == Self.byteCount(of: pending[0]) ? finish() : ""
        }
        let before = finish()
        pending = [byte]
        return Self.byteCount(of: byte) == 1 ? before + finish() : before
    }

    /// What is pending, whole or not.
    mutating func finish() -> String {
        defer { pending = [] }
        if let text = String(validating: pending, as: UTF8.self) { return text.printable }
        return pending.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// How many bytes a scalar has that begins with this one.
    private static func byteCount(of first: UInt8) -> Int {
        switch first {
        case 0xC2...0xDF: 2
        case 0xE0...0xEF: 3
        case 0xF0...0xF4: 4
        default: 1
        }
    }
}

extension Unicode.Scalar {
    /// Whether it is not seen where it is shown, or changes how others are.
    fileprivate var isHidden: Bool {
        if value < 0x7F { return value < 0x20 }
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: return true
        case .format: return value != 0x200C && value != 0x200D
        default: return false
        }
    }

    fileprivate var escape: String {
        switch self {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        default: "\\u{" + String(value, radix: 16) + "}"
        }
    }
}
