import GraftImages
import GraftModel
import GraftTraining

/// What a phase is trained on.
public struct PhaseViews: Sendable, Hashable {
    /// How views differ from their images; `nil` where the images are taken as they are.
    public var augmentation: Augmentation?
    /// How many views of each image there are; an epoch draws one, the next epoch the next.
    public var count: Int
    /// Whether features of the frozen part may be kept, so that a view costs one pass of it whatever the number of epochs.
    public var keepsFeatures: Bool
}

extension ClassifierTraining {
    /// How many views of each image are kept where nothing is said.
    public static let usualViewCount = 8

    /// What a phase is trained on.
    ///
    /// While the base is frozen and there is a cache, ``TrainingRecipe/views`` of each image, or as many as the phase has
    /// epochs and the cache has room for, ``usualViewCount`` at most. Otherwise a new view each epoch: the whole network runs
    /// at every step, so that a view that comes again would save nothing.
    ///
    /// - Throws: `GraftError` where the model cannot be lowered.
    public func views(of phase: TrainingPhase) throws -> PhaseViews {
        let augmentation = recipe.augmentation.flatMap { $0.isIdentity ? nil : $0 }
        guard let augmentation else {
            return PhaseViews(augmentation: nil, count: 1, keepsFeatures: !recipe.mixes)
        }
        guard phase.unfrozen == nil, options.features.location != .none, !recipe.mixes else {
            return PhaseViews(augmentation: augmentation, count: phase.epochs, keepsFeatures: false)
        }
        let count = try recipe.views ?? min(Self.usualViewCount, phase.epochs, max(fittingViewCount(), 1))
        return PhaseViews(augmentation: augmentation, count: count, keepsFeatures: true)
    }

    /// How many views of the training images fit into the cache beside the features of the validation images, were no number
    /// of them zero.
    private func fittingViewCount() throws -> Int {
        guard let row = try model.keptFeatureByteCount(), row > 0 else { return Self.usualViewCount }
        let rows = options.features.byteLimit / row - (images.validation?.count ?? 0)
        return max(rows, 0) / max(images.training.count, 1)
    }
}

extension TrainingRecipe {
    /// - Throws: `GraftError` with code `argument` for views without an augmentation, and for parameters out of their range.
    func checkAugmentation() throws(GraftError) {
        try augmentation?.validate()
        guard let views else { return }
        guard augmentation?.isIdentity == false else {
            throw GraftError(
                .argument, "views: there are none without an augmentation; set one, such as \"flip,rotate:20\"")
        }
        guard (1...1_000_000).contains(views) else {
            throw GraftError(.argument, "views: an image can have 1 to 1000000 of them, and not \(views)")
        }
    }
}
