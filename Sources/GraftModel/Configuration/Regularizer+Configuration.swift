extension Regularizer {
    /// As Keras serializes the object.
    package var configuration: Configuration {
        var arguments: [String: Configuration] = [:]
        if let orthogonality {
            arguments = [
                "factor": .double(orthogonality.factor.decimal), "mode": .string(orthogonality.vectors.rawValue),
            ]
        } else {
            if className != "L2" { arguments["l1"] = .double(l1.decimal) }
            if className != "L1" { arguments["l2"] = .double(l2.decimal) }
        }
        return [
            "module": "keras.regularizers", "class_name": .string(className), "config": .object(arguments),
            "registered_name": nil,
        ]
    }

    /// From Keras's serialized object, or from a name such as `l2`.
    package init(configuration: Configuration) throws(GraftError) {
        let name = configuration.text ?? configuration["class_name"]?.text
        if let type = SerializedClass(configuration), type.isCustom {
            throw GraftError(.format, "is of the custom class \(type.fullName); Graft knows Keras's \(Self.known)")
        }
        let arguments = configuration["config"] ?? .object([:])
        func factor(_ key: String, _ fallback: Float) -> Float { arguments[key]?.number.map { Float($0) } ?? fallback }
        switch name?.lowercased() {
        case "l1": self = .l1(factor("l1", 0.01))
        case "l2": self = .l2(factor("l2", 0.01))
        case "l1l2", "l1_l2": self = .l1l2(l1: factor("l1", 0), l2: factor("l2", 0))
        case "orthogonalregularizer", "orthogonal_regularizer":
            let mode = arguments["mode"]?.text ?? Vectors.rows.rawValue
            guard let vectors = Vectors(rawValue: mode) else {
                throw GraftError(.format, "has the mode \(mode.prefix(60)); Graft knows rows and columns")
            }
            self = .orthogonal(factor("factor", 0.01), vectors)
        default: throw GraftError(.format, "is \(configuration.brief); Graft knows \(Self.known)")
        }
        do { try validate("it") } catch { throw GraftError(.format, error.message) }
    }

    private static let known = "L1, L2, L1L2 and OrthogonalRegularizer"
}

extension Float {
    /// The shortest decimal that gives this number, so that 0.01 is written as 0.01.
    fileprivate var decimal: Double { Double(description) ?? Double(self) }
}
