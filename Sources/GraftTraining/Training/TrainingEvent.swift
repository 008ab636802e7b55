import GraftData
import GraftFeatures
import GraftGraph
import GraftModel

/// What happens while a model trains, in order; for progress lines, logs and callbacks.
public enum TrainingEvent: Sendable {
    /// Training begins; nothing was computed yet.
    case began(TrainingOutline)
    /// The run continues where a checkpoint left one. Callbacks have taken back their state; an epoch in whose middle it
    /// continues is not begun again.
    case resumed(ResumeReport)
    /// A checkpoint was written, or could not be, which ends nothing.
    case checkpoint(CheckpointReport)
    /// Features of so many examples were found in the cache, from an earlier run; told where there are any.
    case featuresFound(Int)
    /// What of features will be computed and how much disk it may take, before anything is; told where some are missing.
    case featuresNeeded(FeatureDemand)
    /// Features were computed for so many of the examples that had none yet.
    case features(Progress)
    /// Features cannot be kept, as their folder is full or went away: the whole network runs at every step instead.
    case featuresNotKept(GraftError)
    /// An example cannot be read and is left out. Told once an example.
    case problem(ExampleFailure)
    /// An epoch begins, 1 for the first.
    case epochBegan(Int)
    /// A step is done.
    case step(StepReport)
    /// Validation is done for so many examples.
    case validation(epoch: Int, Progress)
    /// An epoch is done, validation included; the model's variables are those of its end.
    case epoch(EpochReport)
    /// Training is done, or was interrupted.
    case ended(History)
}

/// What a run is about to do.
public struct TrainingOutline: Sendable, Hashable {
    /// The number of training examples.
    public var examples: Int
    /// The number of validation examples, 0 without.
    public var validationExamples: Int
    /// How many epochs were asked for.
    public var epochs: Int
    /// The examples in a step.
    public var batchSize: Int
    /// The numbers that training changes.
    public var trainableParameters: Int
    /// Whether the trunk runs once per image and its features are kept; otherwise the whole network runs each epoch.
    public var keepsFeatures: Bool
}

/// A step as it is done.
public struct StepReport: Sendable {
    /// The epoch, 1 for the first.
    public var epoch: Int
    /// The step within the epoch, 1 for the first.
    public var step: Int
    /// Examples done within the epoch.
    public var progress: Progress
    /// The loss of this step alone.
    public var loss: Double
    /// The figures of the epoch so far: `loss`, `accuracy`.
    public var figures: [String: Double]
}

/// An epoch as it is done.
public struct EpochReport: Sendable {
    /// The epoch, 1 for the first.
    public var epoch: Int
    /// Its figures under Keras's keys: `loss`, `accuracy`, `val_loss`, `val_accuracy`.
    public var figures: [String: Double]
    /// Its wall time, validation included.
    public var seconds: Double
}

/// Where a run continues.
public struct ResumeReport: Sendable {
    /// The checkpoint: a path.
    public var checkpoint: String
    /// The epoch in which the run continues, 1 for the first.
    public var epoch: Int
    /// The steps of it that are done already.
    public var step: Int
    /// The epochs that are complete.
    public var completeEpochs: Int { epoch - 1 }
    /// What the user should know, in sentences: that the newest checkpoint was damaged, or that results can have other
    /// bits, as the number of threads is another.
    public var remarks: [String]
}

/// A checkpoint as it is written.
public struct CheckpointReport: Sendable {
    /// The checkpoint: a path.
    public var checkpoint: String
    /// The epoch that runs or is next, 1 for the first.
    public var epoch: Int
    /// The steps of it that are done.
    public var step: Int
    /// Its size in bytes, 0 where it could not be written.
    public var byteCount: Int
    /// How long writing took, while training continued.
    public var seconds: Double
    /// Why it could not be written, `nil` where it was; the one before is then still there.
    public var failure: GraftError?
}

extension TrainingEvent {
    /// What the pass over the trunk tells.
    init(_ event: FeatureEvent) {
        switch event {
        case .found(let count): self = .featuresFound(count)
        case .needed(let demand): self = .featuresNeeded(demand)
        case .computed(let progress): self = .features(progress)
        case .unreadable(let failure): self = .problem(failure)
        }
    }
}
