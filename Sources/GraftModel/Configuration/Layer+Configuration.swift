extension Layer {
    /// Keras's `get_config`: the arguments with name, `trainable` and the type of the numbers.
    public final var configuration: [String: Configuration] {
        switch self {
        case let sequential as Sequential: sequential.sequentialConfiguration
        case let model as Model: model.functionalConfiguration
        // Some layers write `null` where they have no activity regularizer.
        default: arguments.merging(commonConfiguration) { own, common in own.isNull ? common : own }
        }
    }

    /// Keras's serialized object: module, class, configuration and the shapes that the layer was built with.
    public final var serialized: Configuration {
        if let operation = self as? OperationLayer { return operation.serializedOperation }
        var members: [String: Configuration] = [
            "module": .string(Self.module(of: self)), "class_name": .string(type(of: self).className),
            "config": .object(configuration), "registered_name": nil,
        ]
        if let build = buildConfiguration { members["build_config"] = build }
        if self is Model { members["compile_config"] = [:] }
        // Keras writes the name of what is not of its interface twice.
        if Self.module(of: self) == Self.functionalModule { members["registered_name"] = "Functional" }
        if let schema = type(of: self).schema, schema.module != LayerSchema.interface {
            members["registered_name"] = .string(schema.className)
        }
        return .object(members)
    }

    final var commonConfiguration: [String: Configuration] {
        var members: [String: Configuration] = ["name": .string(name)]
        if !has(.withoutTrainable) { members["trainable"] = .bool(trainable) }
        // A model's own is not written: Keras's would not take it.
        if let regularizer = activityRegularizer, !(self is Model) {
            members["activity_regularizer"] = regularizer.configuration
        }
        members["dtype"] = has(.namesType) ? "float32" : Self.float32Policy
        return members
    }

    private static let float32Policy: Configuration = [
        "module": "keras", "class_name": "DTypePolicy", "config": ["name": "float32"], "registered_name": nil,
    ]

    private static let functionalModule = "keras.src.models.functional"

    private static func module(of layer: Layer) -> String {
        switch layer {
        case is Sequential: "keras"
        case is Model: functionalModule
        default: type(of: layer).schema?.module ?? LayerSchema.interface
        }
    }

    private var buildConfiguration: Configuration? {
        guard isBuilt, !has(.builtFromTheStart) else { return nil }
        if Self.module(of: self) == Self.functionalModule { return ["input_shape": nil] }
        let shapes = builtInputShapes.map(\.batchConfiguration)
        if self is MultiHeadAttention {
            let names = ["query_shape", "value_shape", "key_shape"]
            return ["shapes_dict": .object(Dictionary(uniqueKeysWithValues: zip(names, shapes)))]
        }
        guard !takesList else { return ["input_shape": .array(shapes)] }
        return shapes.first.map { ["input_shape": $0] }
    }
}

extension Shape {
    /// As Keras writes a shape with its batch axis: `[null, 7, 7, 768]`.
    package var batchConfiguration: Configuration { .array([.null] + dimensions.map { .int($0) }) }
}
