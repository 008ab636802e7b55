import ArgumentParser
import Foundation
import Graft

/// `graft train`
struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train a classifier on images or texts and write a model.",
        discussion: """
            IMAGES holds one folder a class, or train/ and validation/ (and test/, evaluated at the end) that do; or it is a \
            table, .csv or .jsonl, with a path, a label and perhaps a split of each image (graft split writes one). The base network is cut at a \
            layer and frozen, a new head is trained on what it puts out, and the model is written as a .keras file.

            Nothing else has to be said:
              graft train photos
            trains a head on Graft's own small network and writes photos.keras. A larger network knows more and takes longer; \
            graft bases lists them:
              graft train photos --base inception-v3 --input-size 150 --cut mixed7 \\
                --head flatten,dense:1024:relu,dropout:0.2 --epochs 10 --output cats-and-dogs.keras

            A whole model in a file is a base too, cut before its classifier or at any of its layers:
              graft train photos --base model.keras
              graft train photos --base model.onnx --preprocessing torch --cut /features/12/Relu_output_0

            With --fine-tune-from the base is trained too, after the head, from that layer upwards:
              graft train photos --base inception-v3 --cut mixed7 --epochs 5 --fine-tune-from mixed5 --fine-tune-epochs 5

            --early-stopping ends training where the validation loss no longer falls, with the weights of the best epoch:
              graft train photos --base inception-v3 --cut mixed7 --epochs 50 --early-stopping 3

            With few images, --augment shows each in many versions, here with Keras's usual recipe; graft preview draws them:
              graft train photos --augment imagedatagenerator
              graft train photos --augment flip,rotate:20,crop:0.5:1 --views 8 --fine-tune-from all

            All from scratch, to see what the published weights are worth:
              graft train photos --weights none --epochs 0 --fine-tune-from all --fine-tune-learning-rate 1e-3

            Texts are a table with a column for them and one for their classes (.csv, .tsv, .jsonl), or a folder with one folder \
            a class of .txt files. They take an encoder, whose config.json and tokenizer lie beside its weights:
              graft train questions.csv --base minilm --weights minilm/model.safetensors --output intents.keras

            Beside the model stand MODEL.history.csv and a chart of it, MODEL.history.svg.

            Ctrl-C stops after the current step and writes the model of the last complete epoch; a second Ctrl-C ends \
            the program at once.

            While it trains, the run is kept beside the model every minute, and when Ctrl-C stops it. Whatever ended it, \
            this goes on where it was and gives the same model, bit for bit, as if nothing had happened:
              graft train --resume cats-and-dogs.checkpoint
            """)

    @Argument(
        help: "The folder of images or of texts, or a table that names or holds them (.csv, .tsv, .jsonl).",
        completion: .file())
    var images: String?

    @OptionGroup(title: "Network") var network: NetworkOptions

    @Option(
        help: ArgumentHelp(
            "The layers between the cut and the output: \(Head.forms). (default: "
                + "\(TrainingRecipe.usualHead(of: .pocket)) for \(Base.pocket.id), \(TrainingRecipe.usualHead(of: .inceptionV3)) for the others)",
            valueName: "layers"))
    var head: String?

    @OptionGroup(title: "Images") var data: DataArguments
    @OptionGroup(title: "Texts") var texts: TextArguments
    @OptionGroup(title: "Texts") var textBase: TextBaseArguments
    @OptionGroup(title: "Augmentation") var augmentation: AugmentationArguments
    @OptionGroup(title: "Training") var training: TrainingArguments
    @OptionGroup(title: "Fine-tuning") var fineTuning: FineTuningArguments
    @OptionGroup(title: "Callbacks") var callbacks: CallbackArguments

    @OptionGroup(title: "Checkpoints") var checkpoints: CheckpointArguments

    @Option(
        help: ArgumentHelp(
            "Where the network's features of each image are kept for later runs: a folder, 'temporary' for this run "
                + "alone, or 'none' to run the whole network at every step; the user's cache if not given.",
            valueName: "folder|temporary|none"))
    var cache: FeatureCacheOption?

    @Option(
        help: ArgumentHelp(
            "How many gigabytes of features the cache may hold; more views than fit are refused. (default: 10)",
            valueName: "GB"))
    var cacheLimit: Double?

    @OptionGroup(title: "Machine") var machine: MachineOptions
    @OptionGroup(title: "Profile") var profiling: ProfileOptions

    @Option(
        name: [.long, .customShort("o")],
        help: ArgumentHelp(
            "Where the model is written. (default: named after the folder, IMAGES.keras, in the current folder)",
            valueName: "file.keras"))
    var output: String?

    @OptionGroup(title: "Output") var outputOptions: OutputOptions

    func validate() throws {
        guard images != nil || checkpoints.resume != nil else {
            throw ValidationError("Missing expected argument '<images>'")
        }
        if checkpoints.resume == nil { try augmentation.validateNewRun() }
        if let output {
            try require(output.hasSuffix(".keras"), "--output", "'\(output)'", "a name that ends in .keras")
        }
        if let cacheLimit {
            try require((0.001...1e6).contains(cacheLimit), "--cache-limit", cacheLimit, "0.001 to 1000000 gigabytes")
        }
        if let head { try asUsage { () throws(GraftError) in try Head(option: head) } }
        try require(
            data.split == nil || training.validationSplit == nil, "--validation-split",
            training.validationSplit ?? 0, "either this or --split")
        try require(
            training.epochs != 0 || fineTuning.fineTuneFrom != nil, "--epochs", 0,
            "at least 1, or --fine-tune-from to train the base at once")
    }

    /// Where features are kept.
    var featureCache: FeatureCache {
        var result = cache?.cache ?? .standard
        if let cacheLimit { result.byteLimit = Int(cacheLimit * 1e9) }
        return result
    }

    /// Where the model is written.
    var modelPath: String { output ?? Self.modelPath(for: images ?? ".") }

    /// A model named after a folder of images.
    static func modelPath(for images: String) -> String {
        let url = URL(fileURLWithPath: images).standardizedFileURL
        let isTable = LabelledTable.Format(path: images) != nil
        let name = (isTable ? url.deletingPathExtension() : url).lastPathComponent
        return (["", "/", ".", ".."].contains(name) ? "model" : name) + ".keras"
    }

    func run() throws {
        let console = outputOptions.console
        console.outliveReader()
        try explain(on: console) {
            try profiling.follow(machine, on: console) { profiler in
                if TextTrainingJob.takes(self) {
                    return try TextTrainingJob(options: self, console: console, profiler: profiler).run()
                }
                guard let path = checkpoints.resume else {
                    return try TrainingJob(options: self, console: console, profiler: profiler).run()
                }
                let resumed = try ResumedRun(path, self)
                try TrainingJob(options: resumed.options, console: console, resumed: resumed, profiler: profiler).run()
            }
        }
    }
}

/// How `train` trains.
struct TrainingArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The optimizer: \(OptimizerName.list). (default: adam for \(Base.pocket.id), rmsprop for the others)",
            valueName: "name"))
    var optimizer: OptimizerName?

    @Option(
        help: ArgumentHelp(
            "What the optimizer's state is stored as, float32 if not given; bfloat16 takes half its memory, and is rounded up "
                + "or down by chance.",
            valueName: "numbers"))
    var optimizerState: ElementType?

    @Option(
        help: ArgumentHelp(
            "The size of a step. (default: 5e-4 for \(Base.pocket.id), 1e-4 for the others)", valueName: "rate"))
    var learningRate: Float?

    @Option(
        help: ArgumentHelp(
            "Examples in a step. (default: 32 for \(Base.pocket.id), 20 for the others)", valueName: "N"))
    var batchSize: Int?

    @Option(
        name: .customLong("l2"),
        help: ArgumentHelp(
            "The factor of the sum of squares of the output layer's weights, which is added to the loss. (default: 50 / "
                + "images for \(Base.pocket.id) with its usual head, 0 elsewhere)", valueName: "factor"))
    var l2: Float?

    @Option(
        help: ArgumentHelp(
            "Passes over the training images with the base frozen; 0 to fine-tune at once. (default: 10; for "
                + "\(Base.pocket.id) by the number of images)", valueName: "N"))
    var epochs: Int?

    @Option(
        help: ArgumentHelp(
            "The share of each class that is held back for validation, where IMAGES has no validation folder; 0 for none. "
                + "(default: 0.2)",
            valueName: "share"))
    var validationSplit: Double?

    @Option(
        help: ArgumentHelp(
            "Decides the initial weights, the order of images, dropout and the split. (default: 0)", valueName: "N"))
    var seed: UInt64?

    func validate() throws {
        if let learningRate {
            try require(learningRate > 0 && learningRate.isFinite, "--learning-rate", learningRate, "a number above 0")
        }
        if let l2 { try require(l2 >= 0 && l2.isFinite, "--l2", l2, "0 or more") }
        if let batchSize { try require((1...65536).contains(batchSize), "--batch-size", batchSize, "1 to 65536") }
        if let epochs { try require((0...1_000_000).contains(epochs), "--epochs", epochs, "at least 1") }
        if let validationSplit {
            try require(
                (0..<1).contains(validationSplit), "--validation-split", validationSplit, "0 up to, not including, 1")
        }
    }
}

/// The optimizers that `--optimizer` names.
extension OptimizerName: ExpressibleByArgument {
    static var list: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

/// `--optimizer-state`.
extension ElementType: ExpressibleByArgument {
    /// Those of fractions alone: a state of integers would be none.
    public init?(argument: String) {
        guard Self.allValueStrings.contains(argument) else { return nil }
        self.init(rawValue: argument)
    }

    /// The texts that ``init(argument:)`` takes.
    public static var allValueStrings: [String] { [ElementType.float32, .bfloat16].map(\.rawValue) }
}

/// `--cache`.
struct FeatureCacheOption: ExpressibleByArgument, Equatable {
    /// The text that ``init(argument:)`` takes.
    let defaultValueDescription: String

    init(argument: String) { defaultValueDescription = argument }

    var cache: FeatureCache {
        switch defaultValueDescription {
        case "none": .off
        case "temporary": .temporary
        default: .folder(defaultValueDescription)
        }
    }
}
