import GraftData
import GraftFeatures
import GraftGraph
import GraftModel

/// Where a run is: a value, all that a checkpoint keeps but arrays.
struct RunState: Sendable {
    /// Where the loop of training is.
    var position: RunPosition
    /// What was measured so far.
    var history = History()
    /// Whether the run ends after this epoch.
    var isStopping = false
    /// The validation examples that are known to be unreadable.
    var validationUnreadable: Set<Int> = []
    /// Steps since `compile`.
    var stepCount: Int
    /// Epochs since `compile`; makes a second `fit` shuffle otherwise than the first.
    var epochCount: Int
    /// The learning rate that somebody set in place of the optimizer's, in this run or one before.
    var chosenRate: Float?

    /// That of a run that begins.
    init(_ compilation: Compilation) {
        position = RunPosition(compilation.measures)
        (stepCount, epochCount) = (compilation.stepCount, compilation.epochCount)
        chosenRate = compilation.chosenRate
    }
}

extension RunState {
    /// As a checkpoint keeps it.
    var configuration: [String: Configuration] {
        [
            "position": position.configuration, "history": history.configuration, "is_stopping": .bool(isStopping),
            "validation_unreadable": .array(validationUnreadable.sorted().map { .int($0) }),
            "steps": .int(stepCount), "epochs": .int(epochCount),
            "chosen_rate": chosenRate.map { .double(Double($0)) } ?? .null,
        ]
    }

    /// Takes back what ``configuration`` gave.
    ///
    /// - Parameter counts: the numbers of training and validation examples.
    mutating func restore(_ values: StoredValues, counts: (training: Int, validation: Int)) throws(GraftError) {
        try position.restore(values.part("position"), count: counts.training)
        history = try History(configuration: .object(values.part("history").members))
        isStopping = try values.flag("is_stopping")
        validationUnreadable = Set(
            try values.integers("validation_unreadable", in: 0..<max(counts.validation, 1)))
        stepCount = try values.integer("steps", in: 0...(.max))
        epochCount = try values.integer("epochs", in: 0...(.max))
        chosenRate = values["chosen_rate"]?.number.map { Float($0) }
    }
}
