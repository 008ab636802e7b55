/// A JSON value: what Keras writes about layers and models, and Graft about what it keeps beside them. Keeps whole numbers and
/// fractions apart, as Python does.
public enum Configuration: Hashable, Sendable {
    /// Nothing: `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number without a point.
    case int(Int)
    /// A number with a point or an exponent.
    case double(Double)
    /// Text.
    case string(String)
    /// A list.
    case array([Configuration])
    /// Names with values.
    case object([String: Configuration])

    /// The value of a member, `nil` where this is not an object or has none of that name.
    public subscript(key: String) -> Configuration? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }

    /// The object's members, `nil` for anything else.
    public var members: [String: Configuration]? {
        guard case .object(let members) = self else { return nil }
        return members
    }

    /// The list's elements, `nil` for anything else.
    public var elements: [Configuration]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// The text, `nil` for anything else.
    public var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The whole number, `nil` for anything else.
    public var integer: Int? {
        guard case .int(let number) = self else { return nil }
        return number
    }

    /// The number, whole or not; `nil` for anything else.
    public var number: Double? {
        switch self {
        case .int(let number): Double(number)
        case .double(let number): number
        default: nil
        }
    }

    /// The truth value, `nil` for anything else.
    public var flag: Bool? {
        guard case .bool(let flag) = self else { return nil }
        return flag
    }

    /// Whether this is `null`.
    public var isNull: Bool { self == .null }
}

extension Configuration: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    /// Text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A whole number.
    public init(integerLiteral value: Int) { self = .int(value) }
    /// A fraction.
    public init(floatLiteral value: Double) { self = .double(value) }
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A list.
    public init(arrayLiteral elements: Configuration...) { self = .array(elements) }
    /// An object; where a name is twice, its last value holds.
    public init(dictionaryLiteral elements: (String, Configuration)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }
    /// `null`.
    public init(nilLiteral: ()) { self = .null }
}

extension Configuration: Codable {
    /// Reads any JSON value. A decoder that cannot tell `1.0` from `1` gives `int`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .bool(flag)
        } else if let number = try? container.decode(Int.self) {
            self = .int(number)
        } else if let number = try? container.decode(Double.self) {
            self = .double(number)
        } else if let text = try? container.decode(String.self) {
            self = .string(text)
        } else if let elements = try? container.decode([Configuration].self) {
            self = .array(elements)
        } else {
            self = .object(try container.decode([String: Configuration].self))
        }
    }

    /// Writes the JSON value.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let flag): try container.encode(flag)
        case .int(let number): try container.encode(number)
        case .double(let number): try container.encode(number)
        case .string(let text): try container.encode(text)
        case .array(let elements): try container.encode(elements)
        case .object(let members): try container.encode(members)
        }
    }
}

extension Configuration {
    /// The failure of a value that is something else.
    package func isNot(_ expected: String) -> GraftError { GraftError(.format, "must be \(expected), is \(brief)") }

    /// What it was read as; where that is nothing, a failure that says what it must be.
    package func expect<Value>(_ value: Value?, _ expected: String) throws(GraftError) -> Value {
        guard let value else { throw isNot(expected) }
        return value
    }

    /// The value in a few words, for messages.
    package var brief: String {
        switch self {
        case .null: "null"
        case .bool(let flag): "\(flag)"
        case .int(let number): "\(number)"
        case .double(let number): "\(number)"
        case .string(let text): "\"\(text.prefix(60))\""
        case .array(let elements):
            "[" + elements.prefix(4).map(\.brief).joined(separator: ", ") + (elements.count > 4 ? ", …]" : "]")
        case .object(let members):
            members["class_name"]?.text.map { "the object \($0.prefix(60))" } ?? "an object"
        }
    }
}
