import GraftModel

/// Writes JSON text that Python's `json` reads back as the same values: integers stay integers and floats floats.
struct JSONWriter {
    private var text: [UInt8] = []
    private let isPretty: Bool

    /// The text of a value; the members of objects in the order of their names, so that equal values give equal bytes.
    ///
    /// - Parameter pretty: Whether to write one member a line, for people.
    static func write(_ value: Configuration, pretty: Bool = false) -> [UInt8] {
        var writer = JSONWriter(isPretty: pretty)
        writer.append(value, indentation: 0)
        return writer.text
    }

    private init(isPretty: Bool) { self.isPretty = isPretty }

    private mutating func append(_ value: Configuration, indentation: Int) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .int(let value): append(String(value))
        case .double(let value): append(Self.text(of: value))
        case .string(let value): append(quoted: value)
        case .array(let elements):
            appendList("[", "]", elements, indentation) { writer, element in
                writer.append(element, indentation: indentation + 1)
            }
        case .object(let members):
            appendList("{", "}", members.sorted { $0.key < $1.key }, indentation) { writer, member in
                writer.append(quoted: member.key)
                writer.append(": ")
                writer.append(member.value, indentation: indentation + 1)
            }
        }
    }

    private mutating func appendList<Element>(
        _ opening: String, _ closing: String, _ elements: [Element], _ indentation: Int,
        _ appendElement: (inout JSONWriter, Element) -> Void
    ) {
        append(opening)
        for (index, element) in elements.enumerated() {
            if index > 0 { append(isPretty ? "," : ", ") }
            appendLine(indentation + 1)
            appendElement(&self, element)
        }
        if !elements.isEmpty { appendLine(indentation) }
        append(closing)
    }

    private mutating func appendLine(_ indentation: Int) {
        if isPretty { append("\n" + String(repeating: "  ", count: indentation)) }
    }

    /// The shortest digits that give the same number back, always with a point or an exponent.
    static func text(of value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        return value.description
    }

    private mutating func append(_ plain: String) { text += plain.utf8 }

    private mutating func append(quoted string: String) {
        text.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""): append("\\\"")
            case UInt8(ascii: "\\"): append("\\\\")
            case 0x0A: append("\\n")
            case 0x0D: append("\\r")
            case 0x09: append("\\t")
            case 0..<0x20, 0x7F: append("\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16))
            default: text.append(byte)
            }
        }
        text.append(UInt8(ascii: "\""))
    }
}
