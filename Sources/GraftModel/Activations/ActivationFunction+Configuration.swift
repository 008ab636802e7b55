extension ActivationFunction {
    /// As Keras writes it: the name, or, of a function without one, the operation of `keras.ops` with its arguments, which a
    /// layer of Keras takes for its activation as well and writes the same way.
    ///
    /// Source: keras/src/activations/__init__.py, `get`; keras/src/ops/nn.py, `Gelu`.
    package var configuration: Configuration {
        guard self == .geluTanh else { return .string(rawValue) }
        return [
            "module": .string(Self.operationModule), "class_name": "Gelu", "config": ["approximate": true],
            "registered_name": "Gelu",
        ]
    }

    /// From a name or a serialized operation.
    init(configuration: Configuration) throws(GraftError) {
        if let function = configuration.text.flatMap(Self.init(kerasName:)) {
            self = function
            return
        }
        guard configuration["module"]?.text == Self.operationModule, configuration["class_name"]?.text == "Gelu" else {
            let known = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw GraftError(.format, "is \(configuration.brief); Graft knows \(known)")
        }
        // Keras's default of the operation's argument is true, other than that of the function `gelu`.
        self = configuration["config"]?["approximate"]?.flag ?? true ? .geluTanh : .gelu
    }

    private static let operationModule = "keras.src.ops.nn"
}
