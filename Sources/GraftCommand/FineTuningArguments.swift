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

    /// What they say for texts, where steps are usually of 2e-5; `nil` where the base stays frozen.
    var textFineTuning: FineTuning? {
        guard var choice else { return nil }
        if fineTuneLearningRate == nil { choice.learningRate = 2e-5 }
        return choice
    }

    /// What they say; `nil` where the base stays frozen.
    var choice: FineTuning? {
        fineTuneFrom.map { layer in
            FineTuning(
                UnfrozenPart(option: layer), epochs: fineTuneEpochs ?? 5, learningRate: fineTuneLearningRate ?? 1e-5,
                updatesStatistics: updateStatistics)
        }
    }
}
