/// A kind of value that arguments have: how it is in a file.
protocol ConfigurationValue: Sendable {
    /// The value that a file holds.
    ///
    /// - Throws: ``GraftError`` with code `format`; its message continues from the argument's name: "must be …, is …".
    init(configuration: Configuration) throws(GraftError)

    /// As Keras writes it.
    var configuration: Configuration { get }
}

extension Int: ConfigurationValue {
    init(configuration: Configuration) throws(GraftError) {
        self = try configuration.expect(configuration.integer, "a whole number")
    }

    var configuration: Configuration { .int(self) }
}

extension Double: ConfigurationValue {
    init(configuration: Configuration) throws(GraftError) {
        self = try configuration.expect(configuration.number, "a number")
    }

    var configuration: Configuration { .double(self) }
}

extension Bool: ConfigurationValue {
    init(configuration: Configuration) throws(GraftError) {
        self = try configuration.expect(configuration.flag, "true or false")
    }

    var configuration: Configuration { .bool(self) }
}

extension [Int]: ConfigurationValue {
    init(configuration: Configuration) throws(GraftError) {
        let elements = try configuration.expect(configuration.elements, "a list")
        self = elements.compactMap(\.integer)
        guard count == elements.count else {
            throw GraftError(.format, "must hold whole numbers, is \(configuration.brief)")
        }
    }

    var configuration: Configuration { .array(map { .int($0) }) }
}

extension Size2D: ConfigurationValue {
    /// From a pair such as `[3, 3]`, or one number for both.
    init(configuration: Configuration) throws(GraftError) {
        if let both = configuration.integer {
            self.init(both)
            return
        }
        guard let elements = configuration.elements, elements.count == 2, let height = elements[0].integer,
            let width = elements[1].integer
        else { throw configuration.isNot("two whole numbers") }
        self.init(height, width)
    }

    /// As Keras writes a pair.
    package var configuration: Configuration { [.int(height), .int(width)] }
}

extension Padding: ConfigurationValue {
    init(configuration: Configuration) throws(GraftError) {
        let padding = configuration.text.flatMap { Padding(rawValue: $0.lowercased()) }
        self = try configuration.expect(padding, "valid or same")
    }

    var configuration: Configuration { .string(rawValue) }
}

extension ActivationFunction: ConfigurationValue {}
extension Initializer: ConfigurationValue {}
extension Regularizer: ConfigurationValue {}

extension Optional: ConfigurationValue where Wrapped: ConfigurationValue {
    init(configuration: Configuration) throws(GraftError) {
        self = configuration.isNull ? nil : try Wrapped(configuration: configuration)
    }

    /// `null` for nothing.
    var configuration: Configuration { self?.configuration ?? .null }
}
