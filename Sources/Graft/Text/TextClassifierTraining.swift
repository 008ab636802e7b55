import GraftLearning
import GraftModel
import GraftText
import GraftTraining

/// A classifier of texts in training: features of the frozen base, a head on them, and perhaps some of the base.
public final class TextClassifierTraining {
    /// How it is trained.
    public let recipe: TextRecipe
    /// What it is trained on.
    public let texts: LabelledTexts
    /// How texts become ids.
    public let rule: TokenRule
    /// How many training texts are cut off at the rule's length.
    public let cutCount: Int
    /// How the machine is used.
    public var options: TrainingOptions
    /// What the head came to; `nil` before ``run(callbacks:emit:)``.
    public private(set) var head: TextHeadReport?
    private let tokens: TokenizedTexts

    /// A training on texts.
    ///
    /// - Throws: `GraftError` with code `argument` where recipe and base do not fit, `data` for texts that cannot be learned
    ///   from.
    public init(
        on texts: LabelledTexts, _ recipe: TextRecipe, options: TrainingOptions = TrainingOptions()
    ) throws(GraftError) {
        (self.texts, self.recipe, self.options) = (texts, recipe, options)
        rule = try recipe.rule(for: texts.training.texts)
        tokens = try TokenizedTexts(texts.training.texts, rule, recipe.tokenizer)
        cutCount = tokens.cutCount
        if let penalty = recipe.penalty, !(penalty >= 0 && penalty.isFinite) {
            throw GraftError(.argument, "penalty: it must be 0 or more, and is \(penalty)")
        }
    }

    /// Settles ``GraftRuntime/Precision/automatic``: bfloat16 where the processor has it and a few texts show that the base bears
    /// it.
    ///
    /// - Throws: `GraftError` with code `argument` where bfloat16 is asked for and the processor does not have it.
    @discardableResult
    public func settlePrecision() throws -> SettledPrecision {
        let settled = try SettledPrecision(options.precision) {
            let datasets = tokens.datasets(of: texts.training)
            guard let most = datasets.max(by: { $0.members.count < $1.members.count })?.dataset else { return nil }
            return try features(length: most.length).costOfBFloat16(
                on: most, options: TrainingOptions(threads: options.threads))
        }
        options.precision = settled.precision
        return settled
    }

    /// Trains, and gives the classifier.
    ///
    /// - Parameters:
    ///   - callbacks: what follows fine-tuning.
    ///   - emit: told of progress.
    /// - Throws: `GraftError` with code `cancelled` where somebody asked to stop before there was a model; what was computed is
    ///   kept.
    public func run(
        callbacks: [any Callback] = [], emit: @escaping (TrainingEvent) throws -> Void = { _ in }
    ) throws -> TextClassifier {
        let found = try TextFeatures(of: tokens, options: options, model: features, emit: emit)
        let head = try TextHead(
            found.rows, width: found.width, texts, penalty: recipe.penalty, seed: recipe.seed,
            options: TrainingOptions(features: .off, threads: options.threads, cancellation: options.cancellation))
        self.head = TextHeadReport(
            penalty: head.penalty, heldOut: head.heldOut, reusedCount: found.reusedCount, featureSeconds: found.seconds,
            headSeconds: head.seconds)
        let model = try model(with: head)
        if let fineTuning = recipe.fineTuning { try fineTune(model, fineTuning, callbacks) }
        return try TextClassifier(model, options: options)
    }

    /// The base for a length, up to what the head reads.
    private func features(length: Int) throws -> Model {
        let (network, features) = try recipe.network(length: length)
        return try Model(inputs: network.inputs, outputs: features)
    }

    /// The base with the head on top.
    private func model(with head: TextHead) throws -> Model {
        let (network, features) = try recipe.network(length: rule.maximumLength)
        let model = try Model(
            inputs: network.inputs, outputs: head.output(of: features, task: texts.task), seed: recipe.seed)
        try head.setWeights(of: model)
        model.metadata = ModelMetadata(
            classNames: texts.task == .regression ? nil : texts.classNames, inputRule: .tokens(rule))
        if texts.task != .classes { model.metadata.task = texts.task.rawValue }
        return model
    }

    /// Trains some of the base too, at the shortest length that holds all training texts.
    private func fineTune(_ model: Model, _ fineTuning: FineTuning, _ callbacks: [any Callback]) throws {
        let longest = tokens.ids.map(\.count).max() ?? rule.maximumLength
        let length = rule.paddedLengths.first { $0 >= longest } ?? rule.maximumLength
        let short = try model.shortened(to: length)
        try TrainingPhase(
            name: "fine-tuning", unfrozen: fineTuning.unfrozen, updatesStatistics: false, epochs: fineTuning.epochs,
            learningRate: fineTuning.learningRate
        ).unfreeze(short)
        let outputs = try short.output.shape.elementCount
        try short.compile(
            optimizer: AdamW(learningRate: .constant(fineTuning.learningRate)), loss: texts.task.loss(outputs: outputs),
            metrics: texts.task.metrics)
        let validation = try texts.validation.map { try TextDataset($0, rule, length: length) }
        try short.fit(
            TextDataset(texts.training, rule, length: length), batchSize: 32, epochs: fineTuning.epochs,
            validation: validation, seed: recipe.seed, callbacks: callbacks, options: options)
        if short !== model { try model.setWeights(short.weights) }
    }
}

/// What learning the head came to.
public struct TextHeadReport: Sendable, Hashable {
    /// The factor of the squares of the weights, times the number of texts.
    public let penalty: Double
    /// The accuracy on a fifth of the training texts that a head learned nothing from, with that penalty; for numbers and several
    /// labels the loss. `nil` where the penalty was given, or there are too few texts.
    public let heldOut: Double?
    /// How many texts' features were found in the store.
    public let reusedCount: Int
    /// How long the base took.
    public let featureSeconds: Double
    /// How long the head took.
    public let headSeconds: Double
}
