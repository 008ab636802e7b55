/// A value of JSON whose names and texts are bytes, and whose members stay in their order.
///
/// `Configuration` keeps names in a dictionary of `String`, which takes two names that Unicode's normalization makes equal for
/// one. In a vocabulary they are two tokens.
enum OrderedJSON: Equatable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string([UInt8])
    case array([OrderedJSON])
    case object([Member])

    struct Member: Equatable {
        let name: [UInt8]
        let value: OrderedJSON
    }
}

extension OrderedJSON {
    /// The last member of this name, as in Python; `nil` for none, and for a value that is no object.
    subscript(_ name: String) -> OrderedJSON? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name.elementsEqual(name.utf8) }?.value
    }

    var isNull: Bool { self == .null }
    var flag: Bool? { if case .bool(let value) = self { value } else { nil } }
    var integer: Int? { if case .int(let value) = self { value } else { nil } }
    var bytes: [UInt8]? { if case .string(let value) = self { value } else { nil } }
    var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
    var elements: [OrderedJSON]? { if case .array(let value) = self { value } else { nil } }
    var members: [Member]? { if case .object(let value) = self { value } else { nil } }
    var number: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    /// What a message calls it.
    var brief: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .int(let value): "\(value)"
        case .double(let value): "\(value)"
        case .string(let value): "\"\(value.prefix(40).printable)\""
        case .array(let elements): "a list of \(elements.count)"
        case .object(let members): "an object of \(members.count)"
        }
    }
}

// MARK: Members of a part

extension OrderedJSON {
    /// A member that must be there.
    func member<Value>(
        _ name: String, _ expected: String, _ read: (OrderedJSON) -> Value?
    ) throws(GraftError) -> Value {
        guard let member = self[name] else { throw GraftError(.format, "\(kind) needs a member \"\(name)\"") }
        guard let value = read(member) else {
            throw GraftError(.format, "\"\(name)\" of \(kind) must be \(expected), is \(member.brief)")
        }
        return value
    }

    /// A member that may be missing or `null`.
    func optional<Value>(
        _ name: String, _ expected: String, _ read: (OrderedJSON) -> Value?
    ) throws(GraftError) -> Value? {
        guard let member = self[name], !member.isNull else { return nil }
        guard let value = read(member) else {
            throw GraftError(.format, "\"\(name)\" of \(kind) must be \(expected), is \(member.brief)")
        }
        return value
    }

    /// A flag that has a usual value.
    func flag(_ name: String, default usual: Bool) throws(GraftError) -> Bool {
        try optional(name, "true or false", \.flag) ?? usual
    }

    /// The part's `type`, as messages call it.
    var kind: String { self["type"]?.text.map { "\($0.prefix(40))".printable } ?? "the tokenizer" }
}

// MARK: Writing

extension OrderedJSON {
    /// As text.
    var json: [UInt8] {
        var text: [UInt8] = []
        write(to: &text)
        return text
    }

    private func write(to text: inout [UInt8]) {
        switch self {
        case .null: text += "null".utf8
        case .bool(let value): text += (value ? "true" : "false").utf8
        case .int(let value): text += String(value).utf8
        case .double(let value): text += String(value).utf8
        case .string(let value): Self.write(quoted: value, to: &text)
        case .array(let elements):
            for (place, element) in elements.enumerated() {
                text.append(UInt8(ascii: place == 0 ? "[" : ","))
                element.write(to: &text)
            }
            text += (elements.isEmpty ? "[]" : "]").utf8
        case .object(let members):
            for (place, member) in members.enumerated() {
                text.append(UInt8(ascii: place == 0 ? "{" : ","))
                Self.write(quoted: member.name, to: &text)
                text.append(UInt8(ascii: ":"))
                member.value.write(to: &text)
            }
            text += (members.isEmpty ? "{}" : "}").utf8
        }
    }

    private static func write(quoted bytes: [UInt8], to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                text += ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8
            default: text.append(byte)
            }
        }
        text.append(UInt8(ascii: "\""))
    }
}

extension OrderedJSON: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByStringLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral
{
    init(dictionaryLiteral elements: (String, OrderedJSON)...) {
        self = .object(elements.map { Member(name: Array($0.utf8), value: $1) })
    }
    init(arrayLiteral elements: OrderedJSON...) { self = .array(elements) }
    init(stringLiteral value: String) { self = .string(Array(value.utf8)) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(integerLiteral value: Int) { self = .int(value) }
}
