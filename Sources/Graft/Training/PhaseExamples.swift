import GraftImages
import GraftLearning
import GraftTraining

/// What a phase of a training learns from and is measured on.
struct PhaseExamples {
    let training: any Dataset
    let validation: (any Dataset)?
    let loss: Loss
    let classWeights: [Int: Float]
    /// Whether the features of the frozen part may be kept.
    let keepsFeatures: Bool
}

extension ClassifierTraining {
    /// The examples of a phase: views of the images, balanced, mixed.
    func examples(of phase: TrainingPhase) throws -> PhaseExamples {
        let views = try views(of: phase)
        var training: any Dataset = images.training
        if let augmentation = views.augmentation {
            // Other views than those of the head, which the model has seen.
            let seed = recipe.seed &+ (phase.unfrozen == nil ? 0 : 1)
            training = try AugmentedImages(images.training, augmentation, views: views.count, seed: seed)
        }
        if recipe.balance == .sampling { training = try BalancedExamples(training, labels: images.training.labels) }
        let weights = recipe.balance == .weights ? Self.classWeights(images.training.classCounts) : [:]
        guard recipe.mixes else {
            return PhaseExamples(
                training: training, validation: validation, loss: images.task.loss(outputs: outputCount),
                classWeights: weights, keepsFeatures: views.keepsFeatures)
        }
        let mixed = MixedExamples(
            training, mixUp: recipe.mixUp, cutMix: recipe.cutMix, outputs: outputCount, seed: recipe.seed)
        return PhaseExamples(
            training: mixed, validation: validation.map { SoftTargets($0, outputs: outputCount) },
            loss: outputCount == 1 ? .binaryCrossentropy : .categoricalCrossentropy, classWeights: weights,
            keepsFeatures: false)
    }

    /// n / (k · m) for a class with m of n images in k classes.
    static func classWeights(_ counts: [Int]) -> [Int: Float] {
        let (total, classes) = (counts.reduce(0, +), counts.count { $0 > 0 })
        let weights = counts.map { $0 > 0 ? Float(total) / Float(classes * $0) : 1 }
        return Dictionary(uniqueKeysWithValues: weights.enumerated().map { ($0.offset, $0.element) })
    }
}

extension TrainingRecipe {
    /// Whether images are mixed in pairs.
    var mixes: Bool { mixUp != nil || cutMix != nil }

    /// - Throws: `GraftError` with code `argument` for what makes sense of classes alone.
    func check(_ task: ImageTask) throws(GraftError) {
        guard task != .classes, mixes || balance != .none else { return }
        throw GraftError(
            .argument,
            "\(mixes ? "images are mixed" : "balance is") by their classes, and these have \(task == .labels ? "labels" : "numbers"); leave it out"
        )
    }
}
