/// One line of `--json`, or what a server answers: an object whose members keep their order.
///
/// Names and texts come from others: whatever in them would steer a terminal is written as an escape, which is the same text to
/// a reader of JSON.
public struct JSONObject: Sendable {
    private var members: [(name: String, value: Value)] = []

    /// What a member may hold.
    public enum Value: Sendable {
        /// Text.
        case string(String)
        /// A whole number.
        case int(Int)
        /// A number; what is not finite becomes `null`.
        case number(Double)
        /// A truth value.
        case bool(Bool)
        /// A list of texts.
        case strings([String])
        /// A list of numbers.
        case numbers([Double])
        /// A list of whole numbers.
        case ints([Int])
        /// An object inside of this one.
        case object(JSONObject)
        /// A list of objects.
        case objects([JSONObject])
        /// A list of anything.
        case values([Value])
        /// Nothing.
        case null
    }

    /// An object whose first member says what happened.
    public init(event: String) { members = [("event", .string(event))] }

    /// An object without members.
    public init() {}

    /// Adds a member at the end.
    public mutating func add(_ name: String, _ value: Value) { members.append((name, value)) }

    /// The object as JSON on one line.
    public var line: String {
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
        case .objects(let objects): "[" + objects.map(\.line).joined(separator: ",") + "]"
        case .values(let values): "[" + values.map(text).joined(separator: ",") + "]"
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
