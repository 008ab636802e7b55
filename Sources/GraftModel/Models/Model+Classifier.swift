extension Model {
    /// The path of the last layer before the classifier of the model's one output, where it is cut to put another one on; `nil`
    /// where the model is nothing but a classifier, or has several outputs.
    ///
    /// The classifier is the last dense layer with what only scales or regularizes around it: a softmax or another activation
    /// behind it, dropout and flattening before it. A convolution on a single place is a dense layer too, and so is one of
    /// 1 × 1 whose results are pooled and brought to probabilities, as SqueezeNet has it. A model that ends in no such layer
    /// gives features already: its last layer is meant.
    package final var layerBeforeClassifier: String? {
        guard outputs.count == 1, var place = Place(outputs[0]) else { return nil }
        let last = place
        guard place.stepBack(while: { $0.isActivation || $0.changesNoNumbers }) else { return nil }
        if place.layer.isClassifier {
            guard place.stepBack(), place.stepBack(while: { $0.changesNoNumbers || $0.isScale }) else {
                return nil
            }
            return place.path
        }
        guard place != last, place.layer is GlobalAveragePooling2D else { return last.path }
        var before = place
        guard before.stepBack(), before.stepBack(while: { $0.isActivation || $0 is ReLU }),
            (before.layer as? Conv2D)?.kernelSize == Size2D(1, 1), before.stepBack(),
            before.stepBack(while: \.changesNoNumbers)
        else { return place.path }
        return before.path
    }

    /// Whether something between the input and the first layer with weights changes how large the numbers are, as layers of
    /// preprocessing do.
    package final var hasPreprocessing: Bool {
        var model = self
        while let graph = model.graph {
            guard let first = graph.calls.first(where: { !$0.isInput && !$0.layer.changesNoNumbers })?.layer else {
                break
            }
            guard let inner = first as? Model else { return first.scalesNumbers }
            model = inner
        }
        return false
    }
}

extension Layer {
    /// Whether it gives its input in inference, under another shape perhaps.
    fileprivate var changesNoNumbers: Bool {
        has(.keepsNumbers) || has(.trainingOnly) || (self as? Activation)?.activation == .linear
    }

    fileprivate var isActivation: Bool {
        if let operation = self as? OperationLayer { return Self.activations.contains(operation.operation) }
        return self is Activation || self is Softmax
    }

    private static let activations: Set<String> = ["Softmax", "Sigmoid", "LogSoftmax"]

    /// Whether every output follows from all inputs: a dense layer, or a convolution of a single place.
    fileprivate var isClassifier: Bool {
        if let convolution = self as? Conv2D {
            return convolution.builtInputShapes.first.map { $0.rank == 3 && $0[0] == 1 && $0[1] == 1 } ?? false
        }
        return self is Dense
    }

    /// Whether it brings features to a common scale.
    fileprivate var isScale: Bool { self is Normalization || self is UnitNormalization || self is Rescaling }

    fileprivate var scalesNumbers: Bool {
        if let operation = self as? OperationLayer { return OperationTable.elementwise.contains(operation.operation) }
        return self is Rescaling || self is Normalization || self is BatchNormalization || isPermanentlyFrozen
    }
}

/// A value in a model, or in a model inside it.
private struct Place: Equatable {
    /// The calls of the models that it is in, the outermost first.
    private var holders: [SymbolicTensor] = []
    private var tensor: SymbolicTensor

    /// The output of a layer that is no model; `nil` for an input.
    init?(_ output: SymbolicTensor) {
        tensor = output
        guard enter() else { return nil }
    }

    var layer: Layer { tensor.layer }

    var path: String { (holders.map(\.layer.name) + [layer.name]).joined(separator: "/") }

    /// Goes to the layer before; `false` at the model's input. Of several layers before, to the first.
    mutating func stepBack() -> Bool {
        guard let input = tensor.call.inputs.first else { return false }
        tensor = input
        return enter()
    }

    /// Goes back over layers of a kind; `false` at the model's input.
    mutating func stepBack(while condition: (Layer) -> Bool) -> Bool {
        while condition(layer) {
            guard stepBack() else { return false }
        }
        return true
    }

    /// Goes into the models that the value comes out of, and out of those whose input it is.
    private mutating func enter() -> Bool {
        while true {
            if let model = layer as? Model {
                guard let graph = model.graph, graph.outputs.indices.contains(tensor.index) else { return false }
                holders.append(tensor)
                tensor = graph.outputs[tensor.index]
            } else if tensor.call.isInput {
                guard let holder = holders.popLast(), let graph = (holder.layer as? Model)?.graph,
                    let position = graph.inputs.firstIndex(of: tensor),
                    holder.call.inputs.indices.contains(position)
                else { return false }
                tensor = holder.call.inputs[position]
            } else {
                return true
            }
        }
    }
}
