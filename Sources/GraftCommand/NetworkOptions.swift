import ArgumentParser
import Graft

/// Which pretrained network, and how much of it.
struct NetworkOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The pretrained network, such as \(Base.resNet50.id); `graft bases` lists them. Or a whole model in a file "
                + "(\(SavedModel.endings)), which is cut before its classifier. (default: \(Base.pocket.id), which "
                + "is part of Graft; \(Base.inceptionV3.id) where --weights or --cut is given). For texts: "
                + "\(TextBase.names.joined(separator: ", ")), with --weights.",
            valueName: "name|file"))
    var base: String?

    @OptionGroup var source: BaseArguments

    func validate() throws {
        guard modelPath == nil, !TextBase.isNamed(base) else { return }
        try asUsage { () throws(GraftError) in try named() }
    }

    /// The file of a whole model as a base; `nil` where a base is meant by its name.
    var modelPath: String? { base.flatMap { SavedModel.isNamed(by: $0) ? $0 : nil } }

    /// The base that is meant by name. It follows from the options alone, never from what happens to be on this machine.
    func named() throws(GraftError) -> Base {
        if let base { return try NetworkSource(name: base).named() }
        return source.weights == nil && source.cut == nil ? .pocket : .inceptionV3
    }
}

/// What a base network is made of, for every verb that takes one.
struct BaseArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Its weights: a file (Keras's .h5, or safetensors where graft bases says so), 'imagenet' for the published ones of this network (found on this "
                + "machine or downloaded), 'built-in' for those that are part of Graft, or 'none' for random ones. (default: "
                + "built-in for \(Base.pocket.id), imagenet for the others)",
            valueName: "file|imagenet|built-in|none"))
    var weights: Weights?

    @OptionGroup var images: ImageArguments

    @Option(
        help: ArgumentHelp(
            "The layer at which the network is cut off, such as mixed7, or base/mixed7 inside a model called base; the network's "
                + "usual one if not given. A head that begins with a pooling reads several, with + between them.",
            valueName: "layer"))
    var cut: String?

    @Option(
        help: ArgumentHelp(
            "What the network does first to pixels from 0 to 255: 'own' as the network was trained, or as the file of a model "
                + "has it, 'unit' x / 255 as "
                + "many tutorials do, 'signed-unit' x / 127.5 - 1, 'lite' (x - 127) / 128, 'torch' (x / 255 - mean) / deviation, 'caffe' BGR minus the means, 'none'. (default: own)",
            valueName: "own|unit|signed-unit|lite|torch|caffe|none"))
    var preprocessing: PreprocessingOption?

    @Flag(
        help:
            "Download nothing: weights that are not on this machine are an error. The same by GRAFT_OFFLINE=1 in the environment."
    )
    var offline = false

    /// The values, apart from how they were parsed.
    var choice: BaseChoice {
        BaseChoice(
            weights: weights, inputSize: images.inputSize, cut: cut, preprocessing: preprocessing,
            imageOptions: images.given, isOffline: offline)
    }
}

/// What was chosen of a base network; `nil` where nothing was said.
struct BaseChoice {
    var weights: Weights?
    var inputSize: Int?
    var cut: String?
    var preprocessing: PreprocessingOption?
    /// The options that say how images become inputs, those that were given.
    var imageOptions: [String] = []
    /// Whether nothing is downloaded.
    var isOffline = false

    /// The options that were given and that say something of images alone.
    var givenForImagesAlone: [String] {
        (inputSize == nil ? [] : ["--input-size"]) + (preprocessing == nil ? [] : ["--preprocessing"]) + imageOptions
    }

    /// The options that were given and that a saved model does not take: it carries its own.
    var givenForBasesAlone: [String] {
        (weights == nil ? [] : ["--weights"]) + imageOptions
    }
}

/// `--weights`: which published weights a base begins with.
extension Weights: ExpressibleByArgument {
    /// Any other text is the path of a file.
    public init(argument: String) {
        switch argument {
        case "built-in": self = .builtIn
        case "imagenet": self = .imagenet
        case "none": self = .none
        default: self = .file(argument)
        }
    }

    /// The text that ``init(argument:)`` takes.
    public var defaultValueDescription: String {
        switch self {
        case .builtIn: "built-in"
        case .imagenet: "imagenet"
        case .none: "none"
        case .file(let path): path
        }
    }
}

/// `--preprocessing`: the base's own, or another.
enum PreprocessingOption: ExpressibleByArgument, Equatable {
    case own
    case other(Preprocessing)

    init?(argument: String) {
        if argument == "own" {
            self = .own
        } else if let preprocessing = Preprocessing(rawValue: argument) {
            self = .other(preprocessing)
        } else {
            return nil
        }
    }

    /// The text that ``init(argument:)`` takes.
    var defaultValueDescription: String {
        switch self {
        case .own: "own"
        case .other(let preprocessing): preprocessing.rawValue
        }
    }

    /// What a base does where this is asked for.
    func preprocessing(of base: any NetworkBase) -> Preprocessing {
        switch self {
        case .own: base.preprocessing
        case .other(let preprocessing): preprocessing
        }
    }
}
