import Graft

/// A network named on the command line: a base by its id, or a saved model by its path.
struct NetworkSource {
    let name: String
    var choice = BaseChoice()
    /// Whether the classifier that a base was trained with is on top.
    var top = false

    /// Whether the name is that of a file.
    var isSavedModel: Bool { SavedModel.isNamed(by: name) }

    /// The network with its weights; published ones are downloaded where they are not on this machine.
    func model(on console: Console, seed: UInt64 = 0) throws -> Model {
        guard isSavedModel else { return try model(of: named(), on: console, seed: seed) }
        let refused = (top ? ["--top"] : []) + choice.givenForBasesAlone
        guard refused.isEmpty else {
            throw GraftError(
                .argument, "\(refused.joined(separator: ", ")): for bases alone; \(name) is a model as it was saved")
        }
        let model = try SavedModel.load(name, inputSize: choice.inputSize)
        SavedModel.tell(model, name, on: console)
        return try model.preceded(by: choice.preprocessing)
    }

    /// The network up to the layer of `--cut`; up to the usual one where none is named and `usualCut` is given.
    func cut(_ network: Model, at usualCut: String? = nil) throws -> Model {
        guard let cut = choice.cut ?? usualCut else { return network }
        let output = try network.output(ofLayer: cut)
        return try Model(inputs: network.inputs, outputs: [output], name: network.name)
    }

    /// The base of this name.
    func named() throws(GraftError) -> Base {
        do {
            return try Base.named(name)
        } catch {
            throw GraftError(error.code, "\(error.message); the name of a saved model ends in \(SavedModel.endings)")
        }
    }

    private func model(of base: Base, on console: Console, seed: UInt64) throws -> Model {
        let size = choice.inputSize ?? base.defaultSize
        let preprocessing = choice.preprocessing?.preprocessing(of: base) ?? base.preprocessing
        let weights = try base.fetched(
            choice.weights ?? base.usualWeights, for: preprocessing, top: top, size: size, isOffline: choice.isOffline,
            on: console)
        return try base.model(
            BaseOptions(
                weights: weights, includeTop: top, inputShape: [size, size, 3], preprocessing: preprocessing,
                seed: seed))
    }
}

extension Base {
    /// Weights as they are, the published ones as a file, which is downloaded with a progress line where it is not on this
    /// machine. Warns of a preprocessing that they were not trained for.
    func fetched(
        _ weights: Weights, for preprocessing: Preprocessing, top: Bool = false, size: Int, isOffline: Bool,
        on console: Console
    ) throws -> Weights {
        // Random weights were trained on nothing that could be missed.
        if weights != .none, let warning = warning(for: preprocessing) { console.warn(warning) }
        guard weights == .imagenet else { return weights }
        return .file(try Fetching(console: console, isOffline: isOffline).fetch(weightsOf: id, top: top, size: size))
    }
}
