/// What makes probabilities of logits.
public enum OutputActivation: String, Codable, Hashable, Sendable, CaseIterable {
    /// One class out of several: eˣ / Σ eˣ.
    case softmax
    /// Each output by itself, or two classes with one output: 1 / (1 + e⁻ˣ).
    case sigmoid

    /// As a layer's function.
    package var function: ActivationFunction {
        switch self {
        case .softmax: .softmax
        case .sigmoid: .sigmoid
        }
    }
}

/// What the numbers are that a model puts out, as far as its last layers tell.
package enum OutputKind: Equatable, Sendable {
    /// A softmax or a sigmoid is last.
    case probabilities
    /// The dense layer of this name is last and has no activation: logits, or the numbers of a regression.
    case scores(layer: String)
    /// Anything else: what a network without its classifier makes of an input.
    case features
}

extension Model {
    /// What the numbers of the one output are; `features` where there are several outputs.
    package final var outputKind: OutputKind { outputs.count == 1 ? Self.kind(of: outputs[0]) : .features }

    /// Looks through layers that change no number of a prediction, however many a file stacks up.
    private static func kind(of output: SymbolicTensor) -> OutputKind {
        var tensor: SymbolicTensor? = output
        while let output = tensor {
            switch output.layer {
            case let dense as Dense:
                return dense.activation == .linear ? .scores(layer: dense.name) : kind(of: dense.activation)
            case let convolution as Conv2D: return kind(of: convolution.activation)
            case is Softmax: return .probabilities
            case let function as OperationLayer where ["Softmax", "Sigmoid"].contains(function.operation):
                return .probabilities
            case let layer as Activation where layer.activation != .linear: return kind(of: layer.activation)
            case let model as Model: tensor = model.outputs.dropFirst(output.index).first
            case let layer where layer is Activation || layer.has(.keepsNumbers) || layer.has(.trainingOnly):
                tensor = output.call.inputs.first
            default: return .features
            }
        }
        return .features
    }

    private static func kind(of activation: ActivationFunction) -> OutputKind {
        [.softmax, .sigmoid].contains(activation) ? .probabilities : .features
    }

    /// The same network, with the same layers and variables, and one layer more that makes probabilities of its output.
    ///
    /// - Parameter activation: What the loss did that the network was trained with; ``ModelMetadata/outputActivation``
    ///   says it of a file that Keras compiled with `from_logits=True`.
    /// - Throws: ``GraftError`` with code `state` where the model has several outputs, or none yet.
    public final func withOutputActivation(_ activation: OutputActivation) throws(GraftError) -> Model {
        let result = try Model(
            inputs: inputs, outputs: [Activation(activation.function)(output)], name: name, seed: seed)
        result.metadata = metadata
        result.metadata.outputActivation = nil
        return result
    }
}
