import GraftModel

/// A stretch of training with the same layers frozen.
public struct TrainingPhase: Sendable, Hashable {
    /// What it is called: `head`, `fine-tuning`.
    public var name: String
    /// What of the base trains; `nil` where all of it is frozen.
    public var unfrozen: UnfrozenPart?
    /// Whether the statistics of batch normalization follow the images.
    public var updatesStatistics = false
    /// Passes over the training images.
    public var epochs: Int
    /// The size of a step.
    public var learningRate: Float

    /// What a chart says where the phase begins.
    public var event: String? { unfrozen?.event }

    /// How many numbers the phase trains of a model. Nothing is unfrozen for it.
    ///
    /// - Throws: `GraftError` with code `argument` where the model has no layer of the name.
    public func trainableParameterCount(in model: Model) throws(GraftError) -> Int {
        switch unfrozen {
        case nil: model.trainableVariables.parameterCount
        case .whole: try model.trainableVariables(unfreezingFrom: nil).parameterCount
        case .from(let layer): try model.trainableVariables(unfreezingFrom: model.path(ofLayer: layer)).parameterCount
        }
    }

    /// Unfreezes what the phase trains.
    ///
    /// - Throws: `GraftError` with code `argument` where the model has no layer of the name.
    public func unfreeze(_ model: Model) throws(GraftError) {
        switch unfrozen {
        case nil: return
        case .whole: model.unfreeze()
        case .from(let layer): try model.unfreeze(from: model.path(ofLayer: layer))
        }
        if updatesStatistics { model.setStatistics(.updating) }
    }
}

/// The part of a base that trains on.
public enum UnfrozenPart: Sendable, Hashable {
    /// All of it.
    case whole
    /// The layer of this name and all after it.
    case from(layer: String)

    /// What unfreezing it is called.
    var event: String {
        switch self {
        case .whole: "whole base unfrozen"
        case .from(let layer): "unfrozen from \(layer)"
        }
    }

    /// The layers that it has below the cut.
    package var extent: String {
        switch self {
        case .whole: "up to the cut"
        case .from(let layer): "from \(layer) to the cut"
        }
    }
}

/// How the base trains on after the head.
public struct FineTuning: Sendable, Hashable {
    /// What of the base trains.
    public var unfrozen: UnfrozenPart
    /// Passes over the training images.
    public var epochs: Int
    /// The size of a step: far smaller than the head's, as the base knows much already.
    public var learningRate: Float
    /// Whether the statistics of batch normalization follow the images; otherwise those that came with the weights stay.
    public var updatesStatistics: Bool

    /// Five gentle epochs by default.
    public init(
        _ unfrozen: UnfrozenPart, epochs: Int = 5, learningRate: Float = 1e-5, updatesStatistics: Bool = false
    ) {
        (self.unfrozen, self.epochs) = (unfrozen, epochs)
        (self.learningRate, self.updatesStatistics) = (learningRate, updatesStatistics)
    }
}
