import GraftApplications
import GraftData
import GraftFormats
import GraftModel

/// A whole model as a base: what somebody trained, in a file that Graft reads, or made of layers.
///
/// ```swift
/// let recipe = TrainingRecipe(model: try ModelBase(contentsOf: "keras_model.h5"))
/// let classifier = try Classifier.train(on: "photos", recipe)
/// ```
///
/// It is cut before its classifier, at ``defaultCut``, or at any other layer. The preprocessing that is part of the model stays
/// in it; ``TrainingRecipe/preprocessing`` adds another before it, for a model whose images were preprocessed outside.
/// What is trained is a copy: the model itself stays as it is.
public struct ModelBase: NetworkBase {
    /// The path of its file, or the model's name.
    public let id: String
    /// The path of its file; `nil` where it came from none.
    public let path: String?
    /// How images become its input: what its file says, or else images of its size with pixels from 0 to 255.
    public let rule: ImageRule
    /// The last layer before its classifier, or its last layer where it ends in none.
    public let defaultCut: String
    /// ``defaultCut`` alone: nobody has said which others are worth trying.
    public var cuts: [String] { [defaultCut] }
    private let whole: Model
    private let registry: LayerRegistry

    /// A model in a file, as ``GraftModel/Model/load(_:inputShape:registry:)`` reads it.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - inputSize: rows and columns, for a file that leaves them open.
    ///   - registry: the layers that are known.
    /// - Throws: `GraftError` where the file cannot be read, leaves its size open or has another, and as ``init(_:named:registry:)``.
    public init(
        contentsOf path: String, inputSize: Int? = nil, registry: LayerRegistry = .standard
    ) throws(GraftError) {
        let sizes = InputShapes(
            inputSize.map { .side($0) }, wayOut: "ModelBase(contentsOf: path, inputSize: 224)")
        try self.init(
            Model.load(path, sizes: sizes, registry: registry), name: path, path: path, registry: registry)
        guard let inputSize, rule.height != inputSize || rule.width != inputSize else { return }
        throw GraftError(
            .shape,
            "inputSize: \(path) takes images of \(rule.height) × \(rule.width) and nothing else; the argument is for models "
                + "that leave the size open")
    }

    /// A model that is there already.
    ///
    /// - Parameters:
    ///   - model: the model; it is not changed.
    ///   - name: what messages call it; the model's name where `nil`.
    ///   - registry: the layers that are known.
    /// - Throws: `GraftError` with code `format` where it takes no images, `argument` where it is a classifier alone.
    public init(_ model: Model, named name: String? = nil, registry: LayerRegistry = .standard) throws(GraftError) {
        try self.init(model, name: name ?? model.name, path: nil, registry: registry)
    }

    /// A model that was read from a file.
    package init(
        _ model: Model, name: String, path: String?, registry: LayerRegistry = .standard
    ) throws(GraftError) {
        (whole, id, self.path, self.registry) = (model, name, path, registry)
        rule = try Classifier.rule(of: model, name)
        guard let cut = model.layerBeforeClassifier else {
            throw GraftError(
                .argument,
                model.outputs.count == 1
                    ? "\(name) is a classifier and nothing before it; nothing can be learned of its features"
                    : "\(name) has \(model.outputs.count) outputs; make a model that ends at one of them a base")
        }
        defaultCut = cut
    }

    // MARK: As a base

    /// What it is called.
    public var title: String { id }
    /// Rows of its images.
    public var defaultSize: Int { rule.height }
    /// Nothing is added to what is part of the model.
    public var preprocessing: Preprocessing { .none }
    /// Those of the model.
    public var usualWeights: Weights { .builtIn }
    /// Of one layer.
    public var featureGroups: [Int] { [] }
    /// A base of an unknown kind is pooled and standardized.
    public var suitsLinearHead: Bool { true }

    /// Whether the model itself, or its file, says what is done to pixels from 0 to 255.
    public var knowsPreprocessing: Bool { whole.metadata.storedInputRule != nil || whole.hasPreprocessing }

    /// The SHA-256 of its file; `nil` where it came from none.
    ///
    /// - Throws: `GraftError` with code `file` where it cannot be read any more.
    public func checksum() throws(GraftError) -> Checksum? {
        try path.map { (path) throws(GraftError) in try Checksum.sha256(ofFileAt: path) }
    }

    /// A copy of the model, its preprocessing first. Statistics of batch normalization stay as they are.
    public func model(_ options: BaseOptions) throws(GraftError) -> Model {
        if let shape = options.inputShape, shape != rule.shape {
            throw GraftError(.shape, "\(id) takes images of the shape \(rule.shape) and no others; received \(shape)")
        }
        var model = try whole.copy(registry: registry)
        model.seed = options.seed
        switch options.weights {
        case .none: break
        case .builtIn: try model.setWeights(whole.weights)
        case .file(let path): try model.loadWeights(path)
        case .imagenet:
            throw GraftError(
                .argument, "no weights of \(id) are published; its own are .builtIn, those of a file .file")
        }
        if options.weights != .none { model.setStatistics(.frozen) }
        if let preprocessing = options.preprocessing, preprocessing != .none {
            model = try model.preceded { (image) throws(GraftError) in try preprocessing.output(for: image) }
        }
        return model
    }

    /// The output of the layer, as ``GraftModel/Model/output(ofLayer:)``.
    public func features(at cut: String, of network: Model) throws(GraftError) -> SymbolicTensor {
        do throws(GraftError) {
            return try network.tensor(at: whole.path(ofLayer: cut))
        } catch {
            throw error.inside(id)
        }
    }

    /// Each feature on a common scale, maps pooled first; the output layer learns the rest.
    public func usualHead(at cut: String) -> Head {
        switch try? whole.output(ofLayer: cut).shape.rank {
        case 3: [.averagePool, .standardize]
        case 2: [.flatten, .standardize]
        default: [.standardize]
        }
    }
}
