/// One line of `--json`: an object whose members keep their order.
struct JSONObject {
    private var members: [(name: String, value: Value)] = []

    /// What a member may hold.
    enum Value {
        case string(String)
        case int(Int)
        case number(Double)
        case bool(Bool)
        case strings([String])
        case numbers([Double])
        case ints([Int])
        case object(JSONObject)
        case null
    }

    init(event: String) { members = [("event", .string(event))] }
    init() {}

    /// Adds a member at the end.
    mutating func add(_ name: String, _ value: Value) { members.append((name, value)) }

    /// The object as JSON on one line.
    var line: String {
        "{" + members.map { "\(Self.quoted($0.name)):\(Self.text($0.value))" }.joined(separator: ",") + "}"
    }

    private static func text(_ value: Value) -> String {
        switch value {
        case .string(let string): quoted(string)
        case .int(let int): String(int)
        case .number(let number): text(number)
        case .numbers(let numbers): "[" + numbers.map(text).joined(separator: ",") + "]"
        case .ints(let ints): "[" + ints.map(String.init).joined(separator: ",") + "]"
        case .bool(let bool): bool ? "true" : "false"
        case .strings(let strings): "[" + strings.map(quoted).joined(separator: ",") + "]"
        case .object(let object): object.line
        case .null: "null"
        }
    }

    /// JSON has no word for what is not finite.
    private static func text(_ number: Double) -> String { number.isFinite ? "\(number)" : "null" }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.isASCII && scalar.value >= 0x20 && scalar.value < 0x7F:
                result.unicodeScalars.append(scalar)
            // What would steer a terminal or is not seen: the same text to a reader of JSON, and harmless to a person's.
            case _ where String(scalar).printable != String(scalar): result += escape(scalar)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// `\u001b`; two of them beyond U+FFFF.
    private static func escape(_ scalar: Unicode.Scalar) -> String {
        UTF16.encode(scalar).map { unit in
            unit.map { number in
                let digits = String(number, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }.joined()
        } ?? ""
    }
}
