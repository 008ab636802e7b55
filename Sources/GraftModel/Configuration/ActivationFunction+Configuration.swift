extension ActivationFunction {
    /// As Keras writes it: the name, or, of a function without one, the operation of `keras.ops` with its arguments, which a
    /// layer of Keras takes for its activation as well and writes the same way; of a layer, the layer.
    ///
    /// Source: keras/src/activations/__init__.py, `get`; keras/src/ops/nn.py, `Gelu`.
    package var configuration: Configuration {
        switch self {
        case .geluTanh:
            [
                "module": .string(Self.operationModule), "class_name": "Gelu", "config": ["approximate": true],
                "registered_name": "Gelu",
            ]
        case .layer(let layer): layer.configuration
        default: .string(rawValue)
        }
    }

    /// From a name, a serialized function, operation or layer.
    init(configuration: Configuration) throws(GraftError) {
        if let function = Self.functionName(configuration).flatMap(Self.init(kerasName:)) {
            self = function
            return
        }
        let className = configuration["class_name"]?.text ?? ""
        if configuration["module"]?.text == Self.operationModule, className == "Gelu" {
            // Keras's default of the operation's argument is true, other than that of the function `gelu`.
            self = configuration["config"]?["approximate"]?.flag ?? true ? .geluTanh : .gelu
            return
        }
        guard ActivationLayer.classNames.contains(className), SerializedClass(configuration)?.isCustom == false else {
            let known = Self.allCases.map(\.rawValue).joined(separator: ", ")
            let layers = ActivationLayer.classNames.joined(separator: ", ")
            throw GraftError(
                .format, "is \(configuration.brief); Graft knows \(known), and as layers \(layers)")
        }
        let layer = try LayerRegistry.standard.layer(configuration)
        self = .layer(try ActivationLayer(layer))
    }

    private static let operationModule = "keras.src.ops.nn"

    /// The name alone, or the object that Keras writes for a function of another module: `keras.ops.softplus`.
    private static func functionName(_ configuration: Configuration) -> String? {
        if let name = configuration.text { return name }
        guard configuration["class_name"]?.text == "function",
            SerializedClass(configuration)?.hasModuleOfKeras == true
        else { return nil }
        return configuration["config"]?.text
    }
}
