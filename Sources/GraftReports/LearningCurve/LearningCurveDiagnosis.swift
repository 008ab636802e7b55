import Foundation

/// What the validation loss says about a run: whether its curve turned, when, and what to try.
public struct LearningCurveDiagnosis: Sendable, Hashable {
    /// What became of the validation loss.
    public enum Course: String, Sendable, Hashable, CaseIterable {
        /// Nothing was held back, so that nothing is known.
        case unknown
        /// Fewer than three epochs: too few to tell.
        case tooShort = "too-short"
        /// It was lowest in the last two epochs.
        case improving
        /// It was lowest earlier and stayed near that.
        case level
        /// It was lowest earlier and rose, while the training loss fell or stayed: overfitting.
        case turned
        /// It was lowest earlier and rose, and the training loss with it.
        case diverged
    }

    /// What may help.
    public enum Advice: String, Sendable, Hashable, CaseIterable {
        /// Holding some images back.
        case validation
        /// Going on.
        case moreEpochs = "more-epochs"
        /// Ending the run where the validation loss was lowest.
        case earlierStop = "earlier-stop"
        /// More dropout.
        case dropout
        /// Changed copies of the training images.
        case augmentation
        /// Beginning the fine-tuning at a later layer.
        case fewerLayersUnfrozen = "fewer-layers-unfrozen"
        /// Smaller steps.
        case smallerLearningRate = "smaller-learning-rate"
    }

    /// What became of the validation loss.
    public let course: Course
    /// The epoch after which it was lowest, counted through all phases from 1.
    public let bestEpoch: Int?
    /// Its lowest value.
    public let bestLoss: Double?
    /// Its last value.
    public let lastLoss: Double?
    /// The training loss after the last epoch where it is less than half of the validation loss, and the curve did not
    /// turn: the model knows its training images far better than others.
    public let farLowerTrainingLoss: Double?
    /// What may help, the likeliest first.
    public let advice: [Advice]

    /// How much larger than the lowest the losses after it must be on average, as a share of it, to count as a turn:
    /// less is the noise of small validation sets.
    static let turnShare = 0.05

    /// How much of the validation loss the training loss must stay below to be told: it is measured under dropout, and
    /// before the epoch's end, so that it is rather too high.
    static let gapShare = 0.5

    /// Judges a curve; a pure function.
    public init(of curve: LearningCurve) {
        let losses = curve["val_loss"].filter { $0.value.isFinite }
        guard let best = losses.min(by: { $0.value < $1.value }), let last = losses.last else {
            (course, bestEpoch, bestLoss, lastLoss, advice) = (.unknown, nil, nil, nil, [.validation])
            farLowerTrainingLoss = nil
            return
        }
        (bestEpoch, bestLoss, lastLoss) = (best.epoch, best.value, last.value)
        let after = losses.filter { $0.epoch > best.epoch }.map(\.value)
        let rise = after.isEmpty ? 0 : after.reduce(0, +) / Double(after.count) - best.value
        let isHigher = rise > Self.turnShare * abs(best.value) && last.value > best.value
        let training = curve["loss"].last.map(\.value).flatMap { $0 < Self.gapShare * last.value ? $0 : nil }
        let closing: [Advice] = training == nil ? [] : [.dropout, .augmentation]
        farLowerTrainingLoss = losses.count >= 3 && (after.count < 2 || !isHigher) ? training : nil
        if losses.count < 3 {
            (course, advice) = (.tooShort, [.moreEpochs])
        } else if after.count < 2 {
            (course, advice) = (.improving, [.moreEpochs] + closing)
        } else if !isHigher {
            (course, advice) = (.level, [.earlierStop] + closing)
        } else if Self.trainingLossRose(in: curve, since: best.epoch) {
            (course, advice) = (.diverged, [.smallerLearningRate, .earlierStop])
        } else {
            // Layers of the base take part in what was learned by heart where they trained after the best epoch.
            let wasFineTuning = curve.phases.count > 1 && last.epoch >= (curve.phases.last?.firstEpoch ?? 1)
            course = .turned
            advice = [.earlierStop, .dropout, .augmentation] + (wasFineTuning ? [.fewerLayersUnfrozen] : [])
        }
    }

    private static func trainingLossRose(in curve: LearningCurve, since epoch: Int) -> Bool {
        let losses = curve["loss"].filter { $0.epoch >= epoch }
        guard let first = losses.first, let last = losses.last else { return false }
        return last.value > first.value * (1 + turnShare)
    }
}

extension LearningCurveDiagnosis: CustomStringConvertible {
    /// One or two sentences for people: whether the curve turned, when, and what to try.
    public var description: String {
        guard let bestEpoch, let bestLoss, let lastLoss else {
            return "No images were held back for validation, so that nothing tells how well the model does on others."
        }
        let best = "\(Self.text(bestLoss)) after epoch \(bestEpoch)"
        switch course {
        case .unknown, .tooShort: return "Too few epochs to tell whether the validation curve turns; try more."
        case .improving:
            return "The validation curve did not turn: its loss was lowest in the last two epochs (\(best)). "
                + "More epochs may help.\(gap)"
        case .level:
            return "The validation curve is level: its loss was lowest (\(best)) and stayed near that "
                + "(\(Self.text(lastLoss)) at the end). More epochs will hardly help.\(gap)"
        case .turned:
            return "The validation curve turned after epoch \(bestEpoch): its loss was lowest there "
                + "(\(Self.text(bestLoss))) and rose to \(Self.text(lastLoss)) while the training loss did not: the "
                + "model learns its training images by heart. \(trials)"
        case .diverged:
            return "Training and validation loss rose after epoch \(bestEpoch) (validation from \(Self.text(bestLoss)) "
                + "to \(Self.text(lastLoss))): the steps are too large. \(trials)"
        }
    }

    private var gap: String {
        guard let farLowerTrainingLoss, let lastLoss else { return "" }
        return " On its training images the loss is far lower (\(Self.text(farLowerTrainingLoss)) against "
            + "\(Self.text(lastLoss))): more dropout in the head, augmentation or more images may close the gap."
    }

    private var trials: String {
        "Try " + advice.map(words).joined(separator: ", ") + "."
    }

    private func words(_ advice: Advice) -> String {
        switch advice {
        case .validation: "holding images back for validation"
        case .moreEpochs: "more epochs"
        case .earlierStop: "stopping after epoch \(bestEpoch ?? 1)"
        case .dropout: "more dropout in the head"
        case .augmentation: "augmentation"
        case .fewerLayersUnfrozen: "fewer layers unfrozen"
        case .smallerLearningRate: "a smaller learning rate"
        }
    }

    private static func text(_ loss: Double) -> String { String(format: "%.4f", loss) }
}

/// The former name of ``LearningCurveDiagnosis``.
@available(*, deprecated, renamed: "LearningCurveDiagnosis")
public typealias CurveVerdict = LearningCurveDiagnosis
