import GraftImages
import GraftModel
import GraftTraining

/// A classifier in training, phase by phase: the head on the frozen base, then some of the base.
///
/// ```swift
/// let training = try ClassifierTraining(on: images, recipe)
/// let classifier = try training.run()
/// print(training.outcome.last("val_accuracy") ?? 0, training.outcome.verdict)
/// ```
///
/// For those who follow closely, the same in steps: ``settlePrecision(resumed:)``, ``adaptStandardization()``, then
/// ``run(_:callbacks:checkpoint:)`` for each of ``phases``.
public final class ClassifierTraining {
    /// How it is trained.
    public let recipe: TrainingRecipe
    /// What it is trained on.
    public let images: LabelledImages
    /// What is trained.
    public let model: Model
    /// The phases in order; at least one.
    public let phases: [TrainingPhase]
    /// How the machine is used.
    public var options: TrainingOptions
    /// What the phases so far came to.
    public private(set) var outcome = TrainingOutcome()

    /// A training on the images of a folder; see ``init(on:_:model:options:)-(LabelledImages,_,_,_)``.
    public convenience init(
        on images: ImageFolder, _ recipe: TrainingRecipe = TrainingRecipe(), model: Model? = nil,
        options: TrainingOptions = TrainingOptions()
    ) throws(GraftError) {
        try self.init(on: LabelledImages(images), recipe, model: model, options: options)
    }

    /// A training of a model that the recipe makes.
    ///
    /// The loss is that of the images' task: of classes ``GraftLearning/Loss/classification(outputs:)``, of several labels
    /// binary cross-entropy, of a regression the mean squared error.
    ///
    /// - Parameters:
    ///   - images: training and validation images, decoded by the recipe's ``TrainingRecipe/rule``.
    ///   - recipe: how it is trained.
    ///   - model: the model, where ``TrainingRecipe/model(on:for:)`` made it already.
    ///   - options: threads, precision, cache, a flag to stop.
    /// - Throws: `GraftError` with code `argument` where there is nothing to train, or the base or the head do not fit; as
    ///   ``TrainingRecipe/network()``.
    public init(
        on images: LabelledImages, _ recipe: TrainingRecipe = TrainingRecipe(), model: Model? = nil,
        options: TrainingOptions = TrainingOptions()
    ) throws(GraftError) {
        (self.images, self.recipe, self.options) = (images, recipe, options)
        phases = recipe.phases(imageCount: images.training.count)
        guard !phases.isEmpty else {
            throw GraftError(.argument, "epochs: 0 leaves nothing to train; give at least 1, or a fineTuning")
        }
        try recipe.checkAugmentation()
        try recipe.check(images.task)
        if let model {
            self.model = model
        } else {
            self.model = try recipe.model(on: recipe.network(), for: images)
        }
        try Self.check(phases, self.model)
        if images.isDivided || images.validationSource.isSplit {
            self.model.metadata.setHeldBack(HeldBackFiles(images, threads: options.threads))
        }
    }

    /// Finds out before the head trains, not after, that there is nothing to unfreeze.
    private static func check(_ phases: [TrainingPhase], _ model: Model) throws(GraftError) {
        let head = model.trainableVariables.parameterCount
        for phase in phases {
            guard let part = phase.unfrozen, try phase.trainableParameterCount(in: model) <= head else { continue }
            throw GraftError(
                .argument, "fineTuning: no layer of the base \(part.extent) has weights; take an earlier one")
        }
    }

    // MARK: Before it begins

    /// Settles ``GraftRuntime/Precision/automatic``: bfloat16 where the processor has it and a few images show that the base
    /// bears it.
    ///
    /// - Parameter resumed: what the run was begun with, where it continues.
    /// - Throws: `GraftError` with code `argument` where bfloat16 is asked for and the processor does not have it.
    @discardableResult
    public func settlePrecision(resumed: Precision? = nil) throws -> SettledPrecision {
        let settled = try SettledPrecision(options.precision, resumed: resumed) {
            try recipe.features(of: model).costOfBFloat16(
                on: images.training, options: TrainingOptions(threads: options.threads))
        }
        options.precision = settled.precision
        return settled
    }

    /// Gives the layer of ``Head/Part/standardize`` the statistics of the training images. A run that continues finds them in
    /// its checkpoint.
    public func adaptStandardization() throws {
        try recipe.adaptStandardization(of: model, to: images.training, options: options)
    }

    /// Takes a phase for done that an earlier process completed.
    public func pass(_ phase: TrainingPhase, _ history: History) { outcome.add(history, of: phase) }

    // MARK: Training

    /// Trains a phase: unfreezes what it trains, compiles the model for it, and fits. What it came to is added to
    /// ``outcome``.
    ///
    /// - Parameters:
    ///   - phase: one of ``phases``, in their order.
    ///   - callbacks: what follows the run, in order.
    ///   - checkpoint: where and how often the run is kept.
    /// - Throws: `GraftError` as ``GraftModel/Model/fit(_:batchSize:epochs:validation:shuffle:seed:classWeights:sampleWeights:callbacks:options:checkpoint:)``.
    ///   The model is then that of the last complete epoch.
    @discardableResult
    public func run(
        _ phase: TrainingPhase, callbacks: [any Callback] = [], checkpoint: Checkpointing? = nil
    ) throws -> History {
        try phase.unfreeze(model)
        let examples = try examples(of: phase)
        try compile(phase, examples.loss)
        // The loss of mixed classes takes other targets than those of the images that it is evaluated on later.
        defer { if recipe.mixes { try? compile(phase, images.task.loss(outputs: outputCount)) } }
        var options = options
        if !examples.keepsFeatures { options.features.location = .none }
        // What is left of a base that trains is not augmented: it learns from images again.
        if phase.unfrozen == nil { options.featureAugmentation = recipe.featureAugmentation }
        let history = try model.fit(
            examples.training, batchSize: recipe.batchSize, epochs: phase.epochs, validation: examples.validation,
            seed: recipe.seed, classWeights: examples.classWeights, callbacks: callbacks, options: options,
            checkpoint: checkpoint)
        let stopping = callbacks.lazy.compactMap { $0 as? EarlyStopping }.first { $0.restoreBestWeights }
        outcome.add(history, of: phase, restoredEpoch: stopping?.bestEpoch)
        return history
    }

    private func compile(_ phase: TrainingPhase, _ loss: Loss) throws {
        try model.compile(
            optimizer: recipe.optimizer.optimizer(
                learningRate: .constant(phase.learningRate),
                settings: OptimizerSettings(stateType: recipe.optimizerState)),
            loss: loss, metrics: images.task.metrics)
    }

    /// 1 for two classes, else one for each class, label or number.
    var outputCount: Int { model.outputs.first?.shape.last ?? 1 }

    /// What is trained, as it is now. The flag that may have stopped the training does not stop its answers.
    ///
    /// - Throws: as ``Classifier/init(_:named:classNames:outputActivation:options:)``.
    public func classifier() throws(GraftError) -> Classifier {
        var options = options
        (options.cancellation, options.profiler) = (nil, nil)
        return try Classifier(model, options: options)
    }

    /// The images that are held back; `nil` where there are none.
    var validation: ImageDataset? { images.validation.flatMap { $0.count > 0 ? $0 : nil } }

    /// Trains all phases. Where `options.cancellation` is raised, the classifier is that of the last complete epoch.
    ///
    /// - Parameter callbacks: what follows the run, through all phases.
    /// - Throws: as ``run(_:callbacks:checkpoint:)``; `GraftError` with code `cancelled` where no epoch was complete.
    public func run(callbacks: [any Callback] = []) throws -> Classifier {
        try settlePrecision()
        try adaptStandardization()
        for phase in phases where !outcome.isInterrupted { try run(phase, callbacks: callbacks) }
        guard outcome.epochCount > 0 else {
            throw GraftError(.cancelled, "stopped before the first epoch was complete, so nothing was learned")
        }
        try calibrate()
        return try classifier()
    }

    /// Has the model remember how sure its answers are, by the images of validation (``Classifier/calibrate(on:training:progress:)``):
    /// where it learned one of several classes, there is a part for validation, and nothing ended the training early.
    @discardableResult
    public func calibrate() throws -> ClassifierCalibration? {
        guard images.task == .classes, !outcome.isInterrupted, let validation else { return nil }
        return try classifier().calibrate(on: validation, training: images.training)
    }
}
