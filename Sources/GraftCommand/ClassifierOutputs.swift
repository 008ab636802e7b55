import Graft

/// What the numbers are that a saved model puts out, and which classes they stand for.
struct ClassifierOutputs {
    enum Meaning: Equatable {
        /// Of the classes; the activation that was added, and why, where the model ends without.
        case probabilities(added: OutputActivation?, reason: String)
        /// Of the classes, and no distribution: the layer of this name is last and has no activation.
        case scores(layer: String)
        /// No classes.
        case features
    }

    let meaning: Meaning
    /// The classes; empty for features.
    let classNames: [String]
    /// Whether the file or an option names the classes.
    let isNamed: Bool
    /// Where it was read.
    private let path: String

    /// What a model's outputs are, and the model with the activation that they lack.
    ///
    /// - Throws: `GraftError` where the model has several outputs, and where the options or the file's names do not fit.
    static func settled(
        of model: Model, _ path: String, _ options: ModelOptions
    ) throws -> (model: Model, outputs: ClassifierOutputs) {
        guard let output = model.outputs.first, model.outputs.count == 1 else {
            throw GraftError(
                .format, "\(path): the model has \(model.outputs.count) outputs, \(model.outputs); a classifier has one"
            )
        }
        let names = try options.classes?.names() ?? model.metadata.classNames
        model.metadata.classNames = names
        let meaning = try meaning(of: model, path, options, isNamed: names != nil)
        let outputs = try ClassifierOutputs(meaning, output.shape, names, path)
        guard case .probabilities(let activation?, _) = meaning else { return (model, outputs) }
        return (try model.withOutputActivation(activation), outputs)
    }

    private init(_ meaning: Meaning, _ shape: Shape, _ names: [String]?, _ path: String) throws {
        (self.meaning, self.path, isNamed) = (meaning, path, names != nil)
        guard meaning != .features else {
            classNames = []
            return
        }
        guard shape.rank == 1 else {
            throw GraftError(
                .format, "\(path): the model is no classifier of images; its output is \(shape.batchDescription)")
        }
        let classes = max(shape.last, 2)
        let all = names ?? (0..<classes).map(ModelMetadata.nameOfClass)
        guard all.count == classes else {
            throw GraftError(
                .format,
                "\(path) has \(shape.last.of("output")) and so \(classes) classes; it was given \(all.count) names, "
                    + all.prefix(5).joined(separator: ", "))
        }
        classNames = all
    }

    private static func meaning(
        of model: Model, _ path: String, _ options: ModelOptions, isNamed: Bool
    ) throws -> Meaning {
        let (kind, shape) = (model.outputKind, try model.output.shape)
        if kind == .probabilities {
            guard options.outputActivation == nil else {
                throw GraftError(
                    .argument,
                    "--output-activation: \(path) ends in a softmax or sigmoid of its own; leave the option out")
            }
            return .probabilities(added: nil, reason: "")
        }
        if let activation = options.outputActivation { return .probabilities(added: activation, reason: "as asked") }
        if let activation = model.metadata.outputActivation {
            return .probabilities(
                added: activation, reason: "the model was trained on logits (from_logits in its compile configuration)")
        }
        // One number without an activation may be a logit or a measurement: no class follows from it.
        guard shape.rank == 1, shape.last > 1 else { return .features }
        if case .scores(let layer) = kind { return .scores(layer: layer) }
        return isNamed ? .scores(layer: try model.output.layer.name) : .features
    }

    // MARK: Reading

    /// The classes with what the model gives each, the largest first.
    func ranked(_ outputs: [Double]) -> [(name: String, value: Double)] {
        guard !classNames.isEmpty else { return [] }
        let values = outputs.count == 1 ? [1 - outputs[0], outputs[0]] : outputs
        return zip(classNames, values).map { (name: $0, value: $1) }.sorted { $0.value > $1.value }
    }

    /// Refuses what has no classes or no probabilities.
    ///
    /// - Throws: `GraftError` saying what the outputs are.
    func requireProbabilities() throws(GraftError) {
        switch meaning {
        case .probabilities: return
        case .scores(let layer): throw GraftError(.format, "\(Self.scores(path, layer)); \(Self.wayOut)")
        case .features:
            throw GraftError(
                .format,
                "\(path) ends in no layer that gives classes their probabilities, so there is nothing to compare with "
                    + "labels; \(Self.wayOut)")
        }
    }

    /// Says what somebody should know who reads predictions.
    func tell(on console: Console) {
        switch meaning {
        case .probabilities(let activation?, let reason):
            console.warn("\(path): \(activation.rawValue) makes probabilities of the outputs: \(reason)")
        case .probabilities: break
        case .scores(let layer): console.warn("\(Self.scores(path, layer)); \(Self.wayOut)")
        case .features:
            console.warn("\(path) puts out features, no classes; graft features writes them as an array")
        }
    }

    /// Says that classes are shown by their numbers.
    func tellNames(on console: Console) {
        if !isNamed, !classNames.isEmpty {
            console.warn("\(path) does not say what its classes are called; --classes names them")
        }
    }

    private static func scores(_ path: String, _ layer: String) -> String {
        "\(path) ends in \(layer) without softmax or sigmoid, so its outputs are scores and no probabilities"
    }

    private static let wayOut =
        "where it was trained with from_logits=True, --output-activation softmax, or sigmoid, makes them so"
}
