import GraftApplications
import GraftImages
import GraftModel
import GraftTraining

/// How a classifier is trained: the base and where it is cut, the head, and how both learn.
///
/// A recipe begins with what suits its base; what is set holds:
///
/// ```swift
/// var recipe = TrainingRecipe(base: .inceptionV3)
/// recipe.inputSize = 150
/// recipe.cut = "mixed7"
/// recipe.fineTuning = FineTuning(.from(layer: "mixed5"))
/// let classifier = try Classifier.train(on: "photos", recipe)
/// ```
public struct TrainingRecipe: Sendable {
    /// The pretrained network.
    public let base: any NetworkBase
    /// Where its weights come from: those that are part of Graft, or the published ones, which are downloaded where they
    /// are not on this machine.
    public var weights: Weights
    /// Rows and columns that images are brought to.
    public var inputSize: Int
    /// What the file of a base says of its images; `nil` for one that Graft knows by name.
    private var ownRule: ImageRule?
    /// How images are resized. Where nothing is set: `keras`, and `antialias` with an ``augmentation``, as views do not alias
    /// either and what is predicted should look like what was learned.
    public var resize: ResizeMethod {
        get { chosenResize ?? (augmentation == nil ? .keras : .antialias) }
        set { chosenResize = newValue }
    }
    private var chosenResize: ResizeMethod?
    /// What becomes of images of another proportion.
    public var fit = ImageFit.stretch
    /// The stored values that become the brightness from black to white; `nil` for all, and for the window in a DICOM file.
    public var window: IntensityWindow?
    /// Whether colours are left out.
    public var isGrey = false
    /// What the network does first to an image.
    public var preprocessing: Preprocessing
    /// The layer whose output the head reads; several with `+` between them, whose features are pooled and joined.
    public var cut: String

    /// The layers between the cut and the output layer. Where nothing is set: what suits the base at its cut.
    public var head: Head {
        get { chosenHead ?? base.usualHead(at: cut) }
        set { chosenHead = newValue }
    }
    private var chosenHead: Head?
    /// The factor of the sum of squares of the output layer's weights, which is added to the loss.
    public var penalty: Float

    /// How gradients become changes.
    public var optimizer: OptimizerName
    /// What the optimizer's state is stored as.
    public var optimizerState = ElementType.float32
    /// The size of a step while the base is frozen.
    public var learningRate: Float
    /// Images in a step.
    public var batchSize: Int
    /// Passes over the training images while the base is frozen; 0 to fine-tune at once, `nil` for as many as suit the base
    /// and the number of images.
    public var epochs: Int?
    /// How the base trains on after the head; `nil` where it stays frozen.
    public var fineTuning: FineTuning?
    /// How the images that are trained on are augmented; `nil`, the default, trains on the images themselves. Validation
    /// images are never augmented.
    public var augmentation: Augmentation?
    /// How many views of each image there are while the base is frozen and its features are kept: an epoch draws the next
    /// one, and each costs a pass of the base and the disk of its features. `nil` for
    /// ``ClassifierTraining/usualViewCount``, or as many as there is room for or epochs. Where the network runs at every step
    /// (a phase that trains some of the base, or no cache), each epoch has new views, whatever is set here.
    public var views: Int?
    /// Mixes the images of a step in pairs, with their classes; `nil`, the default, for not at all. With this or ``cutMix`` the
    /// whole network runs at every step, as a mixture never comes again; with both, each image is mixed by one of them. The
    /// accuracy of training is then that on mixtures, and of two classes none is ever quite hit.
    public var mixUp: MixUp?
    /// Pastes a rectangle of another image into each, and mixes their classes by area; `nil`, the default, for not at all.
    public var cutMix: CutMix?
    /// What is done to kept features each time that they are read while the base is frozen; `nil`, the default, for nothing. It
    /// takes no pass of the base.
    public var featureAugmentation: FeatureAugmentation?
    /// What is done where classes have different numbers of images; `none` by default.
    public var balance = Balance.none
    /// The share of each class that is held back for validation where the folder has no part for it; `nil` for none.
    public var validationSplit: Double? = 0.2
    /// What the initial weights, the order of images, dropout and the split follow from.
    public var seed: UInt64 = 0

    /// What suits a base.
    ///
    /// - Parameters:
    ///   - base: the pretrained network; the small one that is part of Graft by default.
    ///   - head: the layers on top; ``usualHead(of:)`` where `nil`.
    public init(base: Base = .pocket, head: Head? = nil) { self.init(of: base, head: head) }

    /// What suits a whole model: its images as its file says, a linear layer on its pooled and standardized features.
    ///
    /// - Parameters:
    ///   - base: the model.
    ///   - head: the layers on top; ``ModelBase/usualHead(at:)`` where `nil`.
    public init(model base: ModelBase, head: Head? = nil) {
        self.init(of: base, head: head)
        let rule = base.rule
        (ownRule, chosenResize) = (rule, rule.resize == .keras ? nil : rule.resize)
        (fit, window, isGrey) = (rule.fit, rule.window, rule.isGrey)
    }

    package init(of base: any NetworkBase, head: Head?) {
        let isLinear = base.suitsLinearHead
        self.base = base
        weights = base.usualWeights
        (inputSize, preprocessing, cut) = (base.defaultSize, base.preprocessing, base.defaultCut)
        chosenHead = head
        optimizer = isLinear ? .adam : .rmsprop
        learningRate = isLinear ? 5e-4 : 1e-4
        batchSize = isLinear ? 32 : 20
        // It ends training where it should: more epochs come to the same weights. Documentation/Pocket.md has what others give.
        penalty = isLinear && (head.map { $0 == [.centered] } ?? true) ? Self.linearPenalty : 0
    }

    /// The head that suits a base: of one with large maps as the tutorials have it, on pooled features a common scale for
    /// each, which leaves the rest to a linear layer.
    public static func usualHead(of base: Base) -> Head {
        base.featuresArePooled ? [.standardize] : [.flatten, .dense(1024, activation: .relu), .dropout(0.2)]
    }

    /// The penalty of the output layer's weights on standardized features.
    private static let linearPenalty: Float = 0.2

    /// How images are brought to the network's size.
    public var rule: ImageRule {
        ImageRule(
            height: inputSize, width: ownRule?.width ?? inputSize, channels: ownRule?.channels ?? 3, resize: resize,
            fit: fit, window: window, isGrey: isGrey)
    }

    /// The head first, unless it has no epochs, then the base where that is asked for.
    ///
    /// - Parameter imageCount: the number of images to train on.
    public func phases(imageCount: Int) -> [TrainingPhase] {
        let epochs = epochs ?? usualEpochs(imageCount: imageCount)
        var phases: [TrainingPhase] = []
        if epochs != 0 {
            phases.append(TrainingPhase(name: "head", epochs: epochs, learningRate: learningRate))
        }
        if let fineTuning {
            phases.append(
                TrainingPhase(
                    name: "fine-tuning", unfrozen: fineTuning.unfrozen, updatesStatistics: fineTuning.updatesStatistics,
                    epochs: fineTuning.epochs, learningRate: fineTuning.learningRate))
        }
        return phases
    }

    /// About as many steps whatever the number of images: a few images are seen often, many are seen a few times.
    private func usualEpochs(imageCount: Int) -> Int {
        base.suitsLinearHead ? min(max(40_000 / max(imageCount, 1), 10), 100) : 10
    }
}
