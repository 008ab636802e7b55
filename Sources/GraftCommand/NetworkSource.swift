import Graft

/// A network named on the command line: a base by its id, or a saved model by its path.
struct NetworkSource {
    let name: String
    let arguments: BaseArguments
    /// Whether the classifier that a base was trained with is on top.
    let top: Bool

    /// The network with its weights; published ones are downloaded where they are not on this machine.
    func model(on console: Console, seed: UInt64 = 0) throws -> Model {
        if name.hasSuffix(".keras") {
            guard !top, arguments.inputSize == nil else {
                throw GraftError(.argument, "--top and --input-size are for bases; \(name) is a model as it was saved")
            }
            return try Model.load(name)
        }
        let base = try Base.named(name)
        let size = arguments.inputSize ?? base.defaultSize
        return try base.model(
            BaseOptions(
                weights: weights(of: base, on: console), includeTop: top, inputShape: [size, size, 3], seed: seed))
    }

    private func weights(of base: Base, on console: Console) throws -> Weights {
        switch arguments.weights {
        case .none: .none
        case .file(let path): .file(path)
        case .imagenet: .file(try Fetching(console: console).fetch(weightsOf: base.id, top: top))
        }
    }
}
