/// What a variable's size adds to the loss while it trains: `l1 · Σ |w| + l2 · Σ w²`.
///
///     Dense(256, activation: .relu, kernelRegularizer: .l2(1e-4))
///
/// The variables of frozen layers add nothing, as in Keras. Training and evaluation show the loss with what is added.
///
/// Source: keras/src/regularizers/regularizers.py, version 3.15.
public struct Regularizer: Hashable, Sendable {
    /// The factor of the sum of magnitudes.
    public var l1: Float
    /// The factor of the sum of squares; there is no ½.
    public var l2: Float
    /// Keras's class name: `L1`, `L2` or `L1L2`.
    let className: String

    /// Magnitudes alone.
    public static func l1(_ factor: Float = 0.01) -> Regularizer { Regularizer(l1: factor, l2: 0, className: "L1") }

    /// Squares alone.
    public static func l2(_ factor: Float = 0.01) -> Regularizer { Regularizer(l1: 0, l2: factor, className: "L2") }

    /// Both.
    public static func l1l2(l1: Float = 0, l2: Float = 0) -> Regularizer {
        Regularizer(l1: l1, l2: l2, className: "L1L2")
    }

    /// - Throws: ``GraftError`` with code `argument` where a factor is negative or no number.
    func validate(_ argument: String) throws(GraftError) {
        guard l1 >= 0, l2 >= 0, l1.isFinite, l2.isFinite else {
            throw GraftError(.argument, "\(argument) has the factors \(l1) and \(l2); they must be 0 or more")
        }
    }
}

extension Regularizer {
    /// As Keras serializes the object.
    package var configuration: Configuration {
        var arguments: [String: Configuration] = [:]
        if className != "L2" { arguments["l1"] = .double(l1.decimal) }
        if className != "L1" { arguments["l2"] = .double(l2.decimal) }
        return [
            "module": "keras.regularizers", "class_name": .string(className), "config": .object(arguments),
            "registered_name": nil,
        ]
    }

    /// From Keras's serialized object, or from a name such as `l2`.
    package init(configuration: Configuration) throws(GraftError) {
        let name = configuration.text ?? configuration["class_name"]?.text
        if let type = SerializedClass(configuration), type.isCustom {
            throw GraftError(.format, "is of the custom class \(type.fullName); Graft knows Keras's L1, L2 and L1L2")
        }
        let arguments = configuration["config"] ?? .object([:])
        func factor(_ key: String, _ fallback: Float) -> Float { arguments[key]?.number.map { Float($0) } ?? fallback }
        switch name?.lowercased() {
        case "l1": self = .l1(factor("l1", 0.01))
        case "l2": self = .l2(factor("l2", 0.01))
        case "l1l2", "l1_l2": self = .l1l2(l1: factor("l1", 0), l2: factor("l2", 0))
        default: throw GraftError(.format, "is \(configuration.brief); Graft knows L1, L2 and L1L2")
        }
        do { try validate("it") } catch { throw GraftError(.format, error.message) }
    }
}

extension Float {
    /// The shortest decimal that gives this number, so that 0.01 is written as 0.01.
    fileprivate var decimal: Double { Double(description) ?? Double(self) }
}
