/// Reads a layer's arguments from what a file says about it; whatever does not fit is an error that names the layer and
/// the argument.
public struct ConfigurationReader {
    /// Keras's class name of the layer.
    public let className: String
    /// The layer's name.
    public let name: String?
    /// Whether the layer trains.
    public let trainable: Bool
    private var members: [String: Configuration]

    /// A reader of Keras's `get_config`.
    ///
    /// - Throws: ``GraftError`` with code `format` where the name or type is not one, or the numbers are not float32.
    public init(className: String, configuration: Configuration) throws(GraftError) {
        guard let members = configuration.members else {
            throw GraftError(.format, "the configuration of a \(className) is not an object")
        }
        self.className = className
        self.members = members
        name = members["name"]?.text
        trainable = members["trainable"]?.flag ?? true
        for key in ["name", "trainable"] { self.members[key] = nil }
        try requireFloat32()
    }

    /// Where an error happened: `Conv2D conv2d_1`.
    private var place: String { name.map { "\(className) \($0)" } ?? className }

    /// An error about one argument.
    public func wrong(_ key: String, _ problem: String) -> GraftError {
        GraftError(.format, "\(place): the argument \(key) \(problem)")
    }

    // MARK: Arguments

    /// An argument that may be missing or `null`.
    public mutating func optional(_ key: String) -> Configuration? {
        let value = members.removeValue(forKey: key)
        return value?.isNull == true ? nil : value
    }

    /// A whole number.
    public mutating func integer(_ key: String, default fallback: Int? = nil) throws(GraftError) -> Int {
        guard let value = optional(key) else { return try required(key, fallback) }
        guard let number = value.integer else { throw wrong(key, "must be a whole number, is \(value.brief)") }
        return number
    }

    /// A number.
    public mutating func number(_ key: String, default fallback: Double? = nil) throws(GraftError) -> Double {
        guard let value = optional(key) else { return try required(key, fallback) }
        guard let number = value.number else { throw wrong(key, "must be a number, is \(value.brief)") }
        return number
    }

    /// A truth value.
    public mutating func flag(_ key: String, default fallback: Bool? = nil) throws(GraftError) -> Bool {
        guard let value = optional(key) else { return try required(key, fallback) }
        guard let flag = value.flag else { throw wrong(key, "must be true or false, is \(value.brief)") }
        return flag
    }

    /// Whole numbers.
    public mutating func integers(_ key: String) throws(GraftError) -> [Int] {
        guard let value = optional(key) else { return try required(key, nil) }
        guard let elements = value.elements else { throw wrong(key, "must be a list, is \(value.brief)") }
        return try elements.map { (element) throws(GraftError) in
            guard let number = element.integer else { throw wrong(key, "must hold whole numbers, is \(value.brief)") }
            return number
        }
    }

    /// A pair such as `[3, 3]`, or one number for both.
    public mutating func size(_ key: String, default fallback: Size2D? = nil) throws(GraftError) -> Size2D {
        guard let value = optional(key) else { return try required(key, fallback) }
        if let both = value.integer { return Size2D(both) }
        guard let elements = value.elements, elements.count == 2, let height = elements[0].integer,
            let width = elements[1].integer
        else { throw wrong(key, "must be two whole numbers, is \(value.brief)") }
        return Size2D(height, width)
    }

    /// `valid` or `same`.
    public mutating func padding(_ key: String = "padding") throws(GraftError) -> Padding {
        guard let value = optional(key) else { return .valid }
        guard let padding = value.text.flatMap({ Padding(rawValue: $0.lowercased()) }) else {
            throw wrong(key, "must be valid or same, is \(value.brief)")
        }
        return padding
    }

    /// An activation function by name, or by its operation where it has none; linear where none is named.
    public mutating func activation(_ key: String = "activation") throws(GraftError) -> ActivationFunction {
        guard let value = optional(key) else { return .linear }
        guard let function = ActivationFunction(configuration: value) else {
            let known = ActivationFunction.allCases.map(\.rawValue).joined(separator: ", ")
            throw wrong(key, "is \(value.brief); Graft knows \(known)")
        }
        return function
    }

    /// An initializer.
    public mutating func initializer(
        _ key: String, default fallback: Initializer
    ) throws(GraftError) -> Initializer {
        guard let value = optional(key) else { return fallback }
        do {
            return try Initializer(configuration: value)
        } catch {
            throw wrong(key, error.message)
        }
    }

    /// A regularizer, `nil` where there is none.
    public mutating func regularizer(_ key: String) throws(GraftError) -> Regularizer? {
        guard let value = optional(key) else { return nil }
        do {
            return try Regularizer(configuration: value)
        } catch {
            throw wrong(key, error.message)
        }
    }

    // MARK: Arguments that Graft takes in one form alone

    /// Refuses anything but `null` for these arguments: constraints for instance.
    public mutating func requireNull(_ keys: String...) throws(GraftError) {
        for key in keys {
            guard let value = optional(key) else { continue }
            throw wrong(key, "is \(value.brief); Graft knows only null there")
        }
    }

    /// Refuses anything but this value, where the argument is there.
    public mutating func require(_ key: String, _ expected: Configuration) throws(GraftError) {
        guard let value = optional(key), value != expected else { return }
        throw wrong(key, "is \(value.brief); Graft knows only \(expected.brief) there")
    }

    /// Refuses arguments that were not read.
    public func finish() throws(GraftError) {
        guard let key = members.keys.min() else { return }
        throw wrong(key, "is not known to Graft; the model may come from a newer Keras")
    }

    private func required<Value>(_ key: String, _ fallback: Value?) throws(GraftError) -> Value {
        guard let fallback else { throw wrong(key, "is missing") }
        return fallback
    }

    /// Accepts `float32` as a name or as Keras 3's policy object.
    private mutating func requireFloat32() throws(GraftError) {
        guard let policy = optional("dtype") else { return }
        let name = policy.text ?? policy["config"]?["name"]?.text
        guard name == "float32" else {
            throw wrong(
                "dtype", "is \(name ?? policy.brief); Graft computes with float32 alone: save it with that policy")
        }
    }
}

extension Configuration {
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
