import GraftModel

/// What the numbers are that a model puts out, and which classes they stand for.
public struct ClassifierOutputs: Sendable, Hashable {
    /// What the numbers are.
    public enum Meaning: Sendable, Hashable {
        /// Probabilities of the classes: the model ends in a softmax or a sigmoid.
        case probabilities
        /// The same, by an activation that the model ends without, and why it was added.
        case activated(OutputActivation, ActivationReason)
        /// The probability of each of several labels, by itself: the model was trained so that an image may have none, one or
        /// more of them.
        case labels
        /// The numbers of a regression, as they are.
        case values
        /// Scores of the classes: the layer of this name is last and has no activation.
        case scores(layer: String)
        /// No classes: what a network without its classifier makes of an image.
        case features
    }

    /// Why an activation was added.
    public enum ActivationReason: Sendable, Hashable {
        /// It was asked for.
        case asked
        /// The model's compile configuration says that it was trained on logits (`from_logits=True`).
        case trainedOnLogits
    }

    /// What the numbers are.
    public let meaning: Meaning
    /// The classes in the order of their numbers; `class 0`, `class 1`, … where nothing names them, empty for features.
    public let classNames: [String]
    /// Whether the file or the caller names the classes.
    public let isNamed: Bool

    /// Whether the numbers are probabilities.
    public var areProbabilities: Bool {
        switch meaning {
        case .probabilities, .activated, .labels: true
        case .scores, .features, .values: false
        }
    }

    /// What a model's outputs are.
    ///
    /// - Parameters:
    ///   - model: the model.
    ///   - name: what messages call it.
    ///   - classNames: those of the caller or the file.
    ///   - activation: what makes probabilities of the outputs.
    /// - Throws: `GraftError` where the model has several outputs, where it has probabilities already, and where the names
    ///   do not fit.
    init(of model: Model, _ name: String, classNames: [String]?, activation: OutputActivation?) throws(GraftError) {
        guard let output = model.outputs.first, model.outputs.count == 1 else {
            throw GraftError(
                .format, "\(name): the model has \(model.outputs.count) outputs, \(model.outputs); a classifier has one"
            )
        }
        isNamed = classNames != nil
        meaning = try Self.meaning(of: model, name, activation, isNamed: isNamed)
        guard meaning != .features, meaning != .values else {
            self.classNames = []
            return
        }
        guard output.shape.rank == 1 else {
            throw GraftError(
                .format,
                "\(name): the model is no classifier of images; its output is \(output.shape.batchDescription)")
        }
        let size = output.shape.last
        let count = max(size, 2)
        let names = classNames ?? (0..<count).map(ModelMetadata.nameOfClass)
        guard names.count == count else {
            throw GraftError(
                .format,
                "\(name) has \(size.grouped) output\(size == 1 ? "" : "s") and so \(count) classes; it was given "
                    + "\(names.count) names, \(names.prefix(5).joined(separator: ", "))")
        }
        self.classNames = names
    }

    private static func meaning(
        of model: Model, _ name: String, _ activation: OutputActivation?, isNamed: Bool
    ) throws(GraftError) -> Meaning {
        let (kind, output) = (model.outputKind, try model.output)
        if activation == nil, let task = try model.metadata.imageTask, task != .classes {
            return task == .labels ? .labels : .values
        }
        if kind == .probabilities {
            guard activation == nil else {
                throw GraftError(
                    .argument, "outputActivation: \(name) ends in a softmax or sigmoid of its own; leave it out")
            }
            return .probabilities
        }
        if let activation { return .activated(activation, .asked) }
        if let activation = model.metadata.outputActivation { return .activated(activation, .trainedOnLogits) }
        // One number without an activation may be a logit or a measurement: no class follows from it.
        guard output.shape.rank == 1, output.shape.last > 1 else { return .features }
        if case .scores(let layer) = kind { return .scores(layer: layer) }
        return isNamed ? .scores(layer: output.layer.name) : .features
    }

    /// The classes with what the model gives each, the largest first.
    func ranked(_ outputs: [Double]) -> [Classification.Class] {
        guard !classNames.isEmpty else { return [] }
        let values = outputs.count == 1 ? [1 - outputs[0], outputs[0]] : outputs
        return zip(classNames, values).map { Classification.Class(name: $0, value: $1) }
            .sorted { $0.value > $1.value }
    }
}
