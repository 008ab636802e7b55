import Foundation

/// Writes SVG: elements with attributes, text escaped, numbers with two digits.
struct SVGText {
    private(set) var lines: [String] = []

    /// An element without content.
    mutating func element(_ name: String, _ attributes: KeyValuePairs<String, String>) {
        lines.append("<\(name)\(Self.text(attributes))/>")
    }

    /// Text at a place.
    mutating func text(_ content: String, _ attributes: KeyValuePairs<String, String>) {
        lines.append("<text\(Self.text(attributes))>\(Self.escaped(content))</text>")
    }

    /// A line as it is.
    mutating func raw(_ line: String) { lines.append(line) }

    /// A coordinate.
    static func number(_ value: Double) -> String {
        // Outside any image, where numbers that nothing can be drawn for end up.
        guard abs(value) < 1e6 else { return "-1" }
        let rounded = (value * 100).rounded() / 100
        return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
    }

    /// Text without what XML would read as markup, and without characters that XML 1.0 does not allow.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF: result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func text(_ attributes: KeyValuePairs<String, String>) -> String {
        attributes.map { " \($0)=\"\(escaped($1))\"" }.joined()
    }
}
