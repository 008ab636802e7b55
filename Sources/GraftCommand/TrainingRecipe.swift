import Graft

/// How `graft train` trains: what the options say, and for the rest what suits the base and the number of images.
struct TrainingRecipe {
    /// The head of a network with large maps: as the tutorials have it.
    static let usualHead = "flatten,dense:1024:relu,dropout:0.2"
    /// The head on pooled features: they are brought to a common scale, and a linear layer does the rest.
    static let pocketHead = "standardize"

    /// The penalty of the output layer's weights on standardized features.
    static let pocketPenalty: Float = 0.2

    let head: String
    let optimizer: OptimizerName
    let learningRate: Float
    let batchSize: Int
    /// Passes over the images with the base frozen.
    let epochs: Int
    /// The factor of the sum of squares of the output layer's weights.
    let penalty: Float

    /// - Parameters:
    ///   - options: what was said.
    ///   - base: the network.
    ///   - examples: the number of images to train on.
    init(_ options: Train, base: Base, examples: Int) {
        let (isPocket, given) = (base.id == Base.pocket.id, options.training)
        head = Self.head(options.head, for: base)
        optimizer = given.optimizer ?? (isPocket ? .adam : .rmsprop)
        learningRate = given.learningRate ?? (isPocket ? 5e-4 : 1e-4)
        batchSize = given.batchSize ?? (isPocket ? 32 : 20)
        epochs = given.epochs ?? (isPocket ? Self.pocketEpochs(examples: examples) : 10)
        // It ends training where it should: more epochs come to the same weights. Documentation/Pocket.md has what others give.
        penalty = given.l2 ?? (isPocket && options.head == nil ? Self.pocketPenalty : 0)
    }

    /// The head that was asked for, or the usual one of a base.
    static func head(_ given: String?, for base: Base) -> String {
        given ?? (base.id == Base.pocket.id ? pocketHead : usualHead)
    }

    /// About as many steps whatever the number of images: a few images are seen often, many are seen a few times.
    private static func pocketEpochs(examples: Int) -> Int { min(max(40_000 / max(examples, 1), 10), 100) }
}
