/// One argument of a layer: Keras's name for it, how a file has it, where the layer keeps it, and what it must be.
///
/// `Value` is what the layer's initializer takes.
struct Argument<Owner, Value>: Sendable {
    /// Keras's name.
    let key: String
    /// The value in a file, or what holds where the file has none.
    let read: @Sendable (inout ConfigurationReader) throws(GraftError) -> Value
    /// The layer's value as Keras writes it; `nil` where the argument is elsewhere.
    let write: @Sendable (Owner) -> Configuration?
    /// What is wrong with the layer's value; `nil` where nothing is.
    let problem: @Sendable (Owner) -> String?
}

/// Where a layer keeps an argument.
typealias Property<Owner, Value> = any KeyPath<Owner, Value> & Sendable

// MARK: - Any kind

extension Argument {
    /// An argument with a form of its own in files.
    ///
    /// - Parameters:
    ///   - oldKey: What older files call it.
    ///   - fallback: What holds where a file has no value; `nil` where it must have one.
    ///   - subject: What messages call it, where that is not its key.
    ///   - parse: Its value in a file; messages continue from the argument's name.
    ///   - format: How it is written.
    static func custom<Stored>(
        _ key: String, orElse oldKey: String? = nil, _ property: Property<Owner, Stored>, default fallback: Value?,
        called subject: String? = nil, _ requirement: Requirement<Stored> = .none,
        read parse: @escaping @Sendable (Configuration) throws(GraftError) -> Value,
        write format: @escaping @Sendable (Stored) -> Configuration
    ) -> Self where Value: Sendable {
        Self(
            key: key,
            read: { (reader) throws(GraftError) in try reader.value(key, orElse: oldKey, default: fallback, parse) },
            write: { format($0[keyPath: property]) },
            problem: { owner in requirement.problem(owner[keyPath: property]).map { "\(subject ?? key) \($0)" } })
    }
}

extension Argument where Value: ConfigurationValue {
    /// An argument that is in files as others of its type do.
    static func plain(
        _ key: String, _ property: Property<Owner, Value>, default fallback: Value?, called subject: String? = nil,
        _ requirement: Requirement<Value> = .none
    ) -> Self {
        custom(
            key, property, default: fallback, called: subject, requirement,
            read: { (value) throws(GraftError) in try Value(configuration: value) }, write: { $0.configuration })
    }
}

/// What an argument's value must be.
struct Requirement<Value>: Sendable {
    /// What is wrong with a value: "must be …, is …"; `nil` where nothing is.
    let problem: @Sendable (Value) -> String?

    /// Any value will do.
    static var none: Self { Self { _ in nil } }
}

extension Requirement<Double> {
    /// A probability.
    static var fraction: Self { Self { (0...1).contains($0) ? nil : "must be from 0 to 1, is \($0)" } }

    /// A finite number that is not negative.
    static var notNegative: Self {
        Self { $0 >= 0 && $0.isFinite ? nil : "must be a number of at least 0, is \($0)" }
    }
}

extension Requirement<Size2D> {
    /// Two positive numbers that stay in range where they are multiplied.
    fileprivate static var sensible: Self {
        Self { $0.isSensible ? nil : "must be from 1 to \(Size2D.limit), is \($0)" }
    }
}

extension Requirement<Int> {
    /// A positive number that stays in range where it is multiplied.
    fileprivate static var length: Self {
        Self { (1...Size2D.limit).contains($0) ? nil : "must be from 1 to \(Size2D.limit), is \($0)" }
    }

    /// A number, or a list with one.
    fileprivate static func length(of value: Configuration) throws(GraftError) -> Int {
        let elements = value.elements ?? [value]
        guard elements.count == 1, let length = elements[0].integer else { throw value.isNot("one whole number") }
        return length
    }
}

extension Configuration {
    /// One axis or a list of them.
    func axes() throws(GraftError) -> [Int] {
        let elements = elements ?? [self]
        let axes = elements.compactMap(\.integer)
        guard axes.count == elements.count else { throw isNot("whole numbers") }
        return axes
    }
}

// MARK: - The kinds that many layers have; without a default, a file must have the argument

extension Argument {
    /// An argument of the same layer whose value is of this type.
    typealias Of<Other> = Argument<Owner, Other>

    /// The layer's name: the last argument of every layer. It is written next to the arguments.
    static var name: Of<String?> {
        Of<String?>(key: "name", read: { $0.name }, write: { _ in nil }, problem: { _ in nil })
    }

    /// Any whole number.
    static func integer(_ key: String, _ path: Property<Owner, Int>, default fallback: Int? = nil) -> Of<Int> {
        .plain(key, path, default: fallback)
    }

    /// A positive number that stays in range where it is multiplied.
    static func count(_ key: String, _ path: Property<Owner, Int>, default fallback: Int? = nil) -> Of<Int> {
        .plain(key, path, default: fallback, .length)
    }

    /// Whole numbers.
    static func integers(_ key: String, _ path: Property<Owner, [Int]>) -> Of<[Int]> {
        .plain(key, path, default: nil)
    }

    /// A number.
    static func number(
        _ key: String, _ path: Property<Owner, Double>, default fallback: Double? = nil,
        called subject: String? = nil, _ requirement: Requirement<Double> = .none
    ) -> Of<Double> {
        .plain(key, path, default: fallback, called: subject, requirement)
    }

    /// A number, or nothing.
    static func numberOrNil(
        _ key: String, _ path: Property<Owner, Double?>, called subject: String? = nil,
        _ requirement: Requirement<Double> = .none
    ) -> Of<Double?> {
        .plain(key, path, default: .some(nil), called: subject, Requirement { $0.flatMap(requirement.problem) })
    }

    /// True or false.
    static func flag(_ key: String, _ path: Property<Owner, Bool>, default fallback: Bool) -> Of<Bool> {
        .plain(key, path, default: fallback)
    }

    /// Two positive sizes, or one for both.
    static func size(_ key: String, _ path: Property<Owner, Size2D>, default both: Int? = nil) -> Of<Size2D> {
        .plain(key, path, default: both.map { Size2D($0) }, .sensible)
    }

    /// Two positive sizes, or one for both; the initializer decides where a file has none.
    static func sizeOrNil(_ key: String, _ path: Property<Owner, Size2D>) -> Of<Size2D?> {
        .custom(
            key, path, default: .some(nil), .sensible,
            read: { (value) throws(GraftError) in try Size2D(configuration: value) }, write: { $0.configuration })
    }

    /// A positive size along the one axis of a sequence, which Keras writes as a list.
    static func length(_ key: String, _ path: Property<Owner, Int>, default fallback: Int? = nil) -> Of<Int> {
        .custom(
            key, path, default: fallback, .length,
            read: { (value) throws(GraftError) in try Requirement<Int>.length(of: value) }, write: { [.int($0)] })
    }

    /// The same; the initializer decides where a file has none.
    static func lengthOrNil(_ key: String, _ path: Property<Owner, Int>) -> Of<Int?> {
        .custom(
            key, path, default: .some(nil), .length,
            read: { (value) throws(GraftError) in try Requirement<Int>.length(of: value) }, write: { [.int($0)] })
    }

    /// One axis or a list of them.
    static func axes(_ key: String, _ path: Property<Owner, [Int]>, default fallback: [Int]?) -> Of<[Int]> {
        .custom(
            key, path, default: fallback, read: { (value) throws(GraftError) in try value.axes() },
            write: { $0.count == 1 ? .int($0[0]) : $0.configuration })
    }

    /// What happens at the edges.
    static func padding(_ path: Property<Owner, Padding>) -> Of<Padding> {
        .plain("padding", path, default: .valid)
    }

    /// An activation function; none is the linear one.
    static func activation(_ path: Property<Owner, ActivationFunction>) -> Of<ActivationFunction> {
        .plain("activation", path, default: .linear)
    }

    /// How a variable begins.
    static func initializer(
        _ key: String, _ path: Property<Owner, Initializer>, default fallback: Initializer
    ) -> Of<Initializer> {
        .plain(key, path, default: fallback)
    }

    /// What a variable is brought back to after each step.
    static func constraint(_ key: String, _ path: Property<Owner, Constraint?>) -> Of<Constraint?> {
        .plain(key, path, default: .some(nil))
    }

    /// What is added to the loss for a variable's size.
    static func regularizer(_ key: String, _ path: Property<Owner, Regularizer?>) -> Of<Regularizer?> {
        .plain(key, path, default: .some(nil))
    }
}
