/// Reads a layer's arguments from what a file says about it; whatever does not fit is an error that names the layer and
/// the argument.
public struct ConfigurationReader {
    /// Keras's class name of the layer.
    public let className: String
    /// The layer's name.
    public let name: String?
    /// Whether the layer trains.
    public let trainable: Bool
    /// What the layer's outputs add to the loss.
    let activityRegularizer: Regularizer?
    private var members: [String: Configuration]

    /// A reader of Keras's `get_config`.
    ///
    /// - Throws: ``GraftError`` with code `format` where the name or type is not one, or the numbers are not float32. An input
    ///   layer reads its own type.
    public init(className: String, configuration: Configuration) throws(GraftError) {
        guard let members = configuration.members else {
            throw GraftError(.format, "the configuration of a \(className) is not an object")
        }
        self.className = className
        self.members = members
        name = members["name"]?.text
        trainable = members["trainable"]?.flag ?? true
        activityRegularizer = try Self.activityRegularizer(members, of: className)
        for key in ["name", "trainable", "activity_regularizer"] { self.members[key] = nil }
        if className != InputLayer.className { try requireFloat32() }
    }

    /// An argument that every layer may have.
    private static func activityRegularizer(
        _ members: [String: Configuration], of className: String
    ) throws(GraftError) -> Regularizer? {
        guard let value = members["activity_regularizer"], !value.isNull else { return nil }
        do throws(GraftError) {
            return try Regularizer(configuration: value)
        } catch {
            let place = members["name"]?.text.map { "\(className) \($0)" } ?? className
            throw GraftError(.format, "\(place): the argument activity_regularizer \(error.message)")
        }
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

    /// A value as its type is in files.
    mutating func value<Value: ConfigurationValue>(_ key: String, default fallback: Value?) throws(GraftError) -> Value
    {
        try value(key, default: fallback) { (value) throws(GraftError) in try Value(configuration: value) }
    }

    /// A value in a form of its own.
    ///
    /// - Parameters:
    ///   - oldKey: What older files call the argument.
    ///   - fallback: What holds where there is none; without it, that is an error.
    mutating func value<Value>(
        _ key: String, orElse oldKey: String? = nil, default fallback: Value?,
        _ parse: (Configuration) throws(GraftError) -> Value
    ) throws(GraftError) -> Value {
        guard let value = optional(key) ?? oldKey.flatMap({ optional($0) }) else {
            guard let fallback else { throw wrong(key, "is missing") }
            return fallback
        }
        do {
            return try parse(value)
        } catch {
            throw wrong(key, error.message)
        }
    }

    /// A whole number.
    public mutating func integer(_ key: String, default fallback: Int? = nil) throws(GraftError) -> Int {
        try value(key, default: fallback)
    }

    /// A number.
    public mutating func number(_ key: String, default fallback: Double? = nil) throws(GraftError) -> Double {
        try value(key, default: fallback)
    }

    /// A truth value.
    public mutating func flag(_ key: String, default fallback: Bool? = nil) throws(GraftError) -> Bool {
        try value(key, default: fallback)
    }

    /// Whole numbers.
    public mutating func integers(_ key: String) throws(GraftError) -> [Int] { try value(key, default: nil) }

    /// A pair such as `[3, 3]`, or one number for both.
    public mutating func size(_ key: String, default fallback: Size2D? = nil) throws(GraftError) -> Size2D {
        try value(key, default: fallback)
    }

    /// `valid` or `same`.
    public mutating func padding(_ key: String = "padding") throws(GraftError) -> Padding {
        try value(key, default: .valid)
    }

    /// An activation function by name, or by its operation where it has none; linear where none is named.
    public mutating func activation(_ key: String = "activation") throws(GraftError) -> ActivationFunction {
        try value(key, default: .linear)
    }

    /// An initializer.
    public mutating func initializer(
        _ key: String, default fallback: Initializer
    ) throws(GraftError) -> Initializer {
        try value(key, default: fallback)
    }

    /// A regularizer, `nil` where there is none.
    public mutating func regularizer(_ key: String) throws(GraftError) -> Regularizer? {
        try value(key, default: .some(nil))
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

    /// Accepts `float32`, and what is read as it, as a name or as Keras's policy object.
    private mutating func requireFloat32() throws(GraftError) {
        guard let policy = optional("dtype") else { return }
        let name = policy.policyName
        guard let name, name == "float32" || NumberPolicy.readAsFloat32.contains(name) else {
            throw wrong(
                "dtype",
                "is \(name ?? policy.brief); Graft computes with float32 alone: a quantized model has to be saved before "
                    + "`quantize` was called, others with one of Keras's types for floating-point numbers")
        }
    }
}
