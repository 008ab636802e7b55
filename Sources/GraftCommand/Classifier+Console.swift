import Graft

extension Classifier {
    /// The classifier in a file, as the options of a verb say what the file leaves open.
    ///
    /// - Throws: `GraftError` where the file is no model of images, and where the options do not fit it.
    init(_ path: String, _ options: ModelOptions, _ machine: MachineOptions) throws {
        try self.init(SavedModel.load(path, inputSize: options.inputSize), named: path, options, machine)
    }

    /// The classifier of a model that was read already.
    ///
    /// - Throws: as ``init(_:_:_:)``.
    init(_ model: Model, named path: String, _ options: ModelOptions, _ machine: MachineOptions) throws {
        let model = try model.preceded(by: options.preprocessing)
        if options.outputActivation != nil, model.outputKind == .probabilities {
            throw GraftError(
                .argument,
                "--output-activation: \(path) ends in a softmax or sigmoid of its own; leave the option out")
        }
        try self.init(
            model, named: path, classNames: options.classes?.names(), outputActivation: options.outputActivation,
            options: machine.trainingOptions())
    }

    /// Refuses what nothing can be compared with: no classes with probabilities, nor labels, nor a regression.
    ///
    /// - Throws: `GraftError` saying what the outputs are.
    func requireProbabilities() throws(GraftError) {
        switch outputs.meaning {
        case .probabilities, .activated, .labels, .values: return
        case .scores(let layer): throw GraftError(.format, "\(scores(layer)); \(Self.wayOut)")
        case .features:
            throw GraftError(
                .format,
                "\(name) ends in no layer that gives classes their probabilities, so there is nothing to compare with "
                    + "labels; \(Self.wayOut)")
        }
    }

    /// Says what somebody should know who reads predictions.
    func tellOutputs(on console: Console) {
        switch outputs.meaning {
        case .activated(let activation, let reason):
            let why =
                reason == .asked
                ? "as asked" : "the model was trained on logits (from_logits in its compile configuration)"
            console.warn("\(name): \(activation.rawValue) makes probabilities of the outputs: \(why)")
        case .probabilities, .labels, .values: break
        case .scores(let layer): console.warn("\(scores(layer)); \(Self.wayOut)")
        case .features:
            console.warn("\(name) puts out features, no classes; graft features writes them as an array")
        }
    }

    /// Says that classes are shown by their numbers.
    func tellNames(on console: Console) {
        if !outputs.isNamed, !classNames.isEmpty {
            console.warn("\(name) does not say what its classes are called; --classes names them")
        }
    }

    private func scores(_ layer: String) -> String {
        "\(name) ends in \(layer) without softmax or sigmoid, so its outputs are scores and no probabilities"
    }

    private static var wayOut: String {
        "where it was trained with from_logits=True, --output-activation softmax, or sigmoid, makes them so"
    }
}
