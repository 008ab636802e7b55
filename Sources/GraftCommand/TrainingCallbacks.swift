import ArgumentParser
import Graft

/// What watches over a run of `train`: early stopping and its companions, in Keras's words.
struct CallbackArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The figure that the options below look at: loss, accuracy, val_loss or val_accuracy. (default: val_loss)",
            valueName: "figure"))
    var monitor: String?

    /// The figure that they look at.
    var monitored: String { monitor ?? "val_loss" }

    @Option(
        help: ArgumentHelp(
            "End training, and each phase of it, after so many epochs without improvement, and give the model the weights of "
                + "the best epoch.", valueName: "patience"))
    var earlyStopping: Int?

    @Option(
        help: ArgumentHelp(
            "Multiply the learning rate with 0.1 after so many epochs without improvement.", valueName: "patience"))
    var reduceOnPlateau: Int?

    @Option(
        help: ArgumentHelp(
            "Write the model here too, after each epoch that is better than all before.", valueName: "file.keras"))
    var saveBest: String?

    @Option(
        help: ArgumentHelp("Write curves for TensorBoard into this folder.", valueName: "folder"),
        completion: .directory)
    var tensorboard: String?

    func validate() throws {
        for (option, patience) in [("--early-stopping", earlyStopping), ("--reduce-on-plateau", reduceOnPlateau)] {
            if let patience { try require(patience >= 0, option, patience, "0 or more epochs") }
        }
        let figures = ["loss", "accuracy", "val_loss", "val_accuracy"]
        try require(figures.contains(monitored), "--monitor", "'\(monitored)'", figures.joined(separator: ", "))
        if let saveBest {
            try require(saveBest.hasSuffix(".keras"), "--save-best", "'\(saveBest)'", "a name that ends in .keras")
        }
    }

    /// - Throws: `GraftError` where a file cannot be written at its place, or the figure is not measured.
    func check(hasValidation: Bool) throws(GraftError) {
        if let saveBest { try OutputFile.check(saveBest, option: "--save-best") }
        let looks = earlyStopping != nil || reduceOnPlateau != nil || saveBest != nil
        if looks, monitored.hasPrefix("val_"), !hasValidation {
            throw GraftError(
                .argument,
                "--monitor: \(monitored) needs images to validate on, and none are held back; give a --validation-split above "
                    + "0, or --monitor loss")
        }
    }
}

/// The callbacks of one phase, and what they have to say when it is done.
final class PhaseCallbacks {
    /// In the order in which they are called.
    let all: [any Callback]
    private let arguments: CallbackArguments
    private let stopping: EarlyStopping?
    private let plateau: ReduceLROnPlateau?
    /// Epochs before this phase.
    private let offset: Int

    /// - Parameters:
    ///   - phase: its name where there are several, for a folder of its own in TensorBoard's.
    ///   - best: what saves the best model of all phases.
    ///   - offset: epochs before this phase.
    init(_ arguments: CallbackArguments, phase: String?, best: ModelCheckpoint?, offset: Int) {
        (self.arguments, self.offset) = (arguments, offset)
        plateau = arguments.reduceOnPlateau.map { ReduceLROnPlateau(monitor: arguments.monitored, patience: $0) }
        stopping = arguments.earlyStopping.map {
            EarlyStopping(monitor: arguments.monitored, patience: $0, restoreBestWeights: true)
        }
        let board = arguments.tensorboard.map { folder in
            TensorBoard(logDir: phase.map { "\(folder)/\($0)" } ?? folder)
        }
        // The curves show the rate that an epoch had, so they are written before it is reduced.
        let callbacks: [(any Callback)?] = [board, best, plateau, stopping]
        all = callbacks.compactMap(\.self)
    }

    /// Says what was done to the run.
    func tell(_ history: History, on console: Console) {
        for reduction in plateau?.reductions ?? [] where reduction.epoch < history.epochs.count {
            console.say(
                "learning rate \(reduction.learningRate.asLearningRate) from epoch \(offset + reduction.epoch + 1) on")
        }
        guard let stopping, let epoch = stopping.bestEpoch, let best = stopping.best, !history.isInterrupted else {
            return
        }
        let stop = stopping.stoppedEpoch.map { "stopped early after epoch \(offset + $0): " } ?? ""
        console.say(
            "\(stop)\(arguments.monitored) was best after epoch \(offset + epoch) (\(best.fixed(4))); "
                + "the model has the weights of that epoch")
        var object = JSONObject(event: "early-stopping")
        object.add("stopped_epoch", stopping.stoppedEpoch.map { .int(offset + $0) } ?? .null)
        object.add("best_epoch", .int(offset + epoch))
        object.add(arguments.monitored, .number(best))
        console.emit(object)
    }
}
