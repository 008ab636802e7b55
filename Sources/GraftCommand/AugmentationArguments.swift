import ArgumentParser
import Graft

/// How `train` augments images.
struct AugmentationArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Train on augmented views of the images, such as flip,rotate:20,zoom:0.2, or imagedatagenerator for those of "
                + "Keras's tutorial; see graft preview. Parts: \(Augmentation.forms). Images are then resized with antialias "
                + "where --resize says nothing. (default: none)", valueName: "recipe"))
    var augment: String?

    @Option(
        help: ArgumentHelp(
            "How many views of each image there are while the base is frozen: an epoch draws the next one, and the features of "
                + "each are kept. Each takes a pass of the base and its disk. A base that trains, and "
                + "--cache none, see new views in each epoch. (default: \(ClassifierTraining.usualViewCount), or as many as "
                + "there are epochs or room in the cache)", valueName: "N"))
    var views: Int?

    @Option(
        help: ArgumentHelp(
            "Mix the images of a step in pairs (MixUp), by shares from Beta(A, A), such as 0.2. The network then runs at every "
                + "step. (default: none)", valueName: "A"))
    var mixup: Double?

    @Option(
        help: ArgumentHelp(
            "Paste a rectangle of another image into each image of a step (CutMix), by areas from Beta(A, A), such as 1; with "
                + "--mixup, one of both by chance. The network then runs at every step. (default: none)", valueName: "A"
        ))
    var cutmix: Double?

    @Option(
        help: ArgumentHelp(
            "Augment the kept features each time that they are read, without another pass of the base (FroFA): brightness adds up "
                + "to SHARE (1) of each channel's range, either way. (default: none)",
            valueName: FeatureAugmentation.forms))
    var featureAugment: String?

    @Option(
        help: ArgumentHelp(
            "Where classes have different numbers of images: 'weights' multiplies losses so that each class counts alike, "
                + "'sampling' shows images of smaller classes more often. (default: none)",
            valueName: Balance.allCases.map(\.rawValue).joined(separator: "|")))
    var balance: Balance?

    func validate() throws {
        try asUsage { () throws(GraftError) in _ = try (mixUp, cutMix) }
        try asUsage { () throws(GraftError) in _ = try recipe }
        try asUsage { () throws(GraftError) in _ = try featureAugmentation }
        if let views { try require((1...1_000_000).contains(views), "--views", views, "1 to 1000000") }
    }

    /// What a new run needs; one that goes on has its recipe from before.
    func validateNewRun() throws {
        if views != nil, try recipe?.isIdentity != false {
            throw ValidationError("--views: there are none without --augment, such as --augment flip,rotate:20")
        }
    }

    /// What is done to kept features; `nil` for nothing.
    var featureAugmentation: FeatureAugmentation? {
        get throws(GraftError) {
            try featureAugment.map { (text) throws(GraftError) in
                try underOption("--feature-augment") { () throws(GraftError) in try FeatureAugmentation(text) }
            }
        }
    }

    /// What mixes images; `nil` for nothing.
    var mixUp: MixUp? {
        get throws(GraftError) {
            try mixup.map { (alpha) throws(GraftError) in
                try underOption("--mixup") { () throws(GraftError) in try MixUp(alpha: alpha) }
            }
        }
    }

    /// What pastes rectangles; `nil` for nothing.
    var cutMix: CutMix? {
        get throws(GraftError) {
            try cutmix.map { (alpha) throws(GraftError) in
                try underOption("--cutmix") { () throws(GraftError) in try CutMix(alpha: alpha) }
            }
        }
    }

    /// How views differ from their images; `nil` where nothing is augmented.
    var recipe: Augmentation? {
        get throws(GraftError) { try augment.map { (text) throws(GraftError) in try Augmentation(option: text) } }
    }
}

extension Balance: ExpressibleByArgument {}

extension Augmentation {
    /// What `--augment` says.
    init(option text: String) throws(GraftError) {
        self = try underOption("--augment") { () throws(GraftError) in try Augmentation(text) }
    }
}
