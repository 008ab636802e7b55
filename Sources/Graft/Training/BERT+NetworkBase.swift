import GraftApplications
import GraftModel

/// An encoder of texts as a base: its features are one vector for a text, as ``GraftApplications/BERT/pooling`` says.
extension BERT: NetworkBase {
    /// The path of its weights, or what kind of network it is.
    public var id: String { path ?? configuration.kind.rawValue }

    /// What kind of network it is.
    public var title: String {
        switch configuration.kind {
        case .bert: "BERT"
        case .distilbert: "DistilBERT"
        case .roberta: "RoBERTa"
        }
    }

    /// The tokens of a text; it has no images.
    public var defaultSize: Int { length }

    /// Ids are taken as they are.
    public var preprocessing: Preprocessing { .none }

    /// Those of its file.
    public var usualWeights: Weights { path.map { .file($0) } ?? .none }

    /// Of one layer.
    public var featureGroups: [Int] { [] }

    /// A vector for a text is learned best by a linear layer.
    public var suitsLinearHead: Bool { true }

    /// The network from ids to a vector for each token.
    ///
    /// - Parameter options: the weights, and what random ones are drawn from; a shape of one number is another length.
    /// - Throws: `GraftError` with code `shape` for the shape of an image, `argument` for weights that it does not have; as
    ///   ``GraftApplications/BERT/model(seed:)``.
    public func model(_ options: BaseOptions) throws(GraftError) -> Model {
        var length = length
        if let shape = options.inputShape {
            guard shape.rank == 1 else {
                throw GraftError(.shape, "\(id) takes texts of a number of tokens, not inputs of the shape \(shape)")
            }
            length = shape[0]
        }
        let path: String? =
            switch options.weights {
            case .none: nil
            case .file(let path): path
            case .builtIn, .imagenet:
                throw GraftError(
                    .argument, "\(title) has the weights of a file alone; give its path (--weights FILE, .file(path))")
            }
        var base = try BERT(configuration, weights: path)
        (base.length, base.hasPairs, base.pooling, base.usesDropout) = (length, hasPairs, pooling, usesDropout)
        return try base.model(seed: options.seed)
    }

    /// A common scale for each number of the vector; the output layer learns the rest.
    public func usualHead(at cut: String) -> Head { pooling == .none ? [.flatten, .standardize] : [.standardize] }
}
