import ArgumentParser
import Graft

/// What `train` does after the head: `--fine-tune-from` and its companions.
struct FineTuningArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "After the head, train the base too, from this layer upwards, such as mixed5; '\(UnfrozenPart.all)' for all "
                + "of it.",
            valueName: "layer"))
    var fineTuneFrom: String?

    @Option(help: ArgumentHelp("Passes over the training images with the base unfrozen. (default: 5)", valueName: "N"))
    var fineTuneEpochs: Int?

    @Option(help: ArgumentHelp("The size of a step with the base unfrozen. (default: 1e-5)", valueName: "rate"))
    var fineTuneLearningRate: Float?

    @Flag(
        help: ArgumentHelp(
            "Let the statistics of batch normalization follow the images while the base trains; without, those that came "
                + "with the weights stay."))
    var updateStatistics = false

    func validate() throws {
        let isLonely = fineTuneEpochs != nil || fineTuneLearningRate != nil || updateStatistics
        if fineTuneFrom == nil, isLonely {
            throw ValidationError(
                "--fine-tune-epochs, --fine-tune-learning-rate and --update-statistics need --fine-tune-from")
        }
        if let epochs = fineTuneEpochs {
            try require((1...1_000_000).contains(epochs), "--fine-tune-epochs", epochs, "at least 1")
        }
        if let rate = fineTuneLearningRate {
            try require(rate > 0 && rate.isFinite, "--fine-tune-learning-rate", rate, "a number above 0")
        }
    }
}

/// A stretch of `graft train` with the same layers frozen.
struct TrainingPhase {
    let name: String
    /// What of the base trains; `nil` where all of it is frozen.
    let unfrozen: UnfrozenPart?
    let epochs: Int
    let learningRate: Float

    /// The head first, unless it has no epochs, then the base where that is asked for.
    static func all(_ recipe: TrainingRecipe, _ fineTuning: FineTuningArguments) -> [TrainingPhase] {
        let head = TrainingPhase(
            name: "head", unfrozen: nil, epochs: recipe.epochs, learningRate: recipe.learningRate)
        guard let layer = fineTuning.fineTuneFrom else { return [head] }
        let base = TrainingPhase(
            name: "fine-tuning", unfrozen: UnfrozenPart(layer), epochs: fineTuning.fineTuneEpochs ?? 5,
            learningRate: fineTuning.fineTuneLearningRate ?? 1e-5)
        return head.epochs > 0 ? [head, base] : [base]
    }

    /// What the chart says where the phase begins.
    var event: String? { unfrozen?.event }
}

/// The part of a base that `--fine-tune-from` names.
enum UnfrozenPart: Equatable {
    /// How the whole of it is named.
    static let all = "all"

    case whole
    /// The layer of this name and all behind it.
    case from(layer: String)

    init(_ argument: String) { self = argument == Self.all ? .whole : .from(layer: argument) }

    /// What training it is called.
    var title: String {
        switch self {
        case .whole: "fine-tuning the whole base"
        case .from(let layer): "fine-tuning from \(layer)"
        }
    }

    /// What unfreezing it is called.
    var event: String {
        switch self {
        case .whole: "whole base unfrozen"
        case .from(let layer): "unfrozen from \(layer)"
        }
    }

    /// The layers that it has, where none of them has weights.
    var extent: String {
        switch self {
        case .whole: "up to the cut"
        case .from(let layer): "from \(layer) to the cut"
        }
    }

    /// - Throws: `GraftError` with code `argument` where the model has no such layer.
    func unfreeze(_ model: Model) throws(GraftError) {
        switch self {
        case .whole: model.unfreeze()
        case .from(let layer):
            do throws(GraftError) {
                try model.unfreeze(from: layer)
            } catch {
                throw GraftError(
                    error.code, "--fine-tune-from: \(error.message); graft summary lists the layers of a base")
            }
        }
    }
}

/// What the phases of a run came to.
struct TrainingOutcome {
    private(set) var histories: [History] = []
    /// The epoch of the last phase whose weights the model has; `nil` for its last one.
    private var restoredEpoch: Int?

    /// Adds a phase.
    mutating func add(_ history: History, restoredEpoch: Int?) {
        histories.append(history)
        self.restoredEpoch = history.isInterrupted ? nil : restoredEpoch
    }

    var epochCount: Int { histories.reduce(0) { $0 + $1.epochs.count } }
    var isInterrupted: Bool { histories.last?.isInterrupted == true }
    var trunkSeconds: Double { histories.reduce(0) { $0 + $1.trunkSeconds } }
    var exampleCount: Int { histories.map(\.exampleCount).max() ?? 0 }

    /// The figure under a key after the epoch whose weights the model has.
    func last(_ key: String) -> Double? {
        if let restoredEpoch, let values = histories.last?[key], values.indices.contains(restoredEpoch - 1) {
            return values[restoredEpoch - 1]
        }
        return histories.compactMap { $0[key].last }.last
    }

    /// The pictures that could not be read, each once.
    var unreadablePaths: [String] {
        var seen: Set<String> = []
        return histories.flatMap(\.failures).map(\.path).filter { seen.insert($0).inserted }
    }
}
