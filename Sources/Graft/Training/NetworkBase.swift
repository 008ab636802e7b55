import GraftApplications
import GraftModel

/// What a training needs of a base: a network of images with its weights that can be cut at a layer. Those that Graft knows by
/// name are ``GraftApplications/Base``, a whole model of somebody is a ``ModelBase``.
public protocol NetworkBase: Sendable {
    /// What options and messages call it: `inception-v3`, or the path of a file.
    var id: String { get }
    /// What it is called.
    var title: String { get }
    /// Rows and columns of its images.
    var defaultSize: Int { get }
    /// The layer at which it is cut where nothing is said.
    var defaultCut: String { get }
    /// The layers that are worth trying as cuts, from the input on.
    var cuts: [String] { get }
    /// What it does first to an image where nothing is said.
    var preprocessing: Preprocessing { get }
    /// The weights that it has where nothing is said.
    var usualWeights: Weights { get }
    /// How many of the features at the usual cut come from each layer, where they come from several; empty elsewhere.
    var featureGroups: [Int] { get }
    /// Whether its features are learned best by a linear layer alone, on a common scale.
    var suitsLinearHead: Bool { get }

    /// The network without a classifier, or as it is, with its weights.
    ///
    /// - Throws: `GraftError` where the options do not fit it, or the weights cannot be had.
    func model(_ options: BaseOptions) throws(GraftError) -> Model

    /// What the network puts out at a cut.
    ///
    /// - Throws: `GraftError` with code `argument` where no layer is called so, naming those that are nearest.
    func features(at cut: String, of network: Model) throws(GraftError) -> SymbolicTensor

    /// The layers on top that suit it at a cut.
    func usualHead(at cut: String) -> Head
}

extension Base: NetworkBase {
    /// Those whose features are pooled: ``pocket`` and vision transformers.
    public var suitsLinearHead: Bool { featuresArePooled }

    /// The output of the layer.
    public func features(at cut: String, of network: Model) throws(GraftError) -> SymbolicTensor {
        try layer(atCut: cut, of: network).output
    }

    /// ``TrainingRecipe/usualHead(of:)``; of a vision transformer that is cut at a block, the mean of its tokens first.
    public func usualHead(at cut: String) -> Head {
        let head = TrainingRecipe.usualHead(of: self)
        return featuresArePooled && cut != defaultCut && id != Base.pocket.id ? Head([.averagePool] + head.parts) : head
    }
}
