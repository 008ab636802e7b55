import GraftModel

/// What `compile_config`, the last member of Keras's `config.json`, says of the loss that a model was trained with.
///
/// Source: keras/src/trainers/trainer.py, `get_compile_config`; keras/src/losses/losses.py.
struct CompileConfiguration {
    /// What makes probabilities of the model's output; `nil` where the loss was not compiled with `from_logits`, or is none
    /// of Keras's, or there are several.
    let outputActivation: OutputActivation?

    /// - Parameter serialized: the serialized model.
    init(of serialized: Configuration) {
        outputActivation = Self.onlyLoss(serialized["compile_config"]?["loss"]).flatMap(Self.activation)
    }

    /// The loss by itself, or the only one of a list or of a dictionary by outputs.
    private static func onlyLoss(_ loss: Configuration?) -> Configuration? {
        guard let loss else { return nil }
        if let elements = loss.elements { return elements.count == 1 ? elements[0] : nil }
        guard let members = loss.members, members["class_name"] == nil else { return loss }
        return members.count == 1 ? members.values.first : nil
    }

    private static func activation(of loss: Configuration) -> OutputActivation? {
        guard loss["config"]?["from_logits"]?.flag == true, let type = SerializedClass(loss), !type.isCustom else {
            return nil
        }
        switch type.name {
        case "BinaryCrossentropy", "BinaryFocalCrossentropy": return .sigmoid
        case "CategoricalCrossentropy", "CategoricalFocalCrossentropy", "SparseCategoricalCrossentropy": return .softmax
        default: return nil
        }
    }
}
