import GraftFormats
import GraftModel
import GraftText
import GraftTraining
import Synchronization

/// A model of texts with what it needs to say what a text is: its classes, its tokenizer, and what its outputs are.
///
/// ```swift
/// let classifier = try TextClassifier(contentsOf: "intents.keras")
/// let answer = try classifier.classify("my card has not arrived")
/// print(answer.best?.name ?? "", answer["card_arrival"] ?? 0)
/// ```
///
/// All comes from the file. Texts are run at the shortest length that holds them; the networks of other lengths are made at the first
/// text that needs them and kept. A classifier may be used from many threads at once.
public struct TextClassifier: Sendable {
    /// The network, for its longest texts.
    public let model: Model
    /// What its outputs are.
    public let outputs: ClassifierOutputs
    /// How a text becomes its input.
    public let rule: TokenRule
    /// What messages call it: the path of its file, or the model's name.
    public let name: String
    /// How the machine is used.
    public var options: TrainingOptions
    private let tokenizer: Tokenizer
    private let lengths: Lengths

    /// The classes in the order of their numbers; empty where the outputs stand for no classes.
    public var classNames: [String] { outputs.classNames }

    /// Reads a classifier from a file.
    ///
    /// - Throws: `GraftError` as ``GraftModel/Model/load(_:inputShape:registry:)``, and as ``init(_:named:options:)``.
    public init(contentsOf path: String, options: TrainingOptions = TrainingOptions()) throws(GraftError) {
        try self.init(Model.load(path), named: path, options: options)
    }

    /// A classifier of a model.
    ///
    /// - Throws: `GraftError` with code `format` where the model takes no texts, or its tokenizer is missing or damaged.
    public init(
        _ model: Model, named name: String? = nil, options: TrainingOptions = TrainingOptions()
    ) throws(GraftError) {
        let name = name ?? model.name
        guard case .tokens(let rule)? = try model.metadata.inputRule else {
            throw GraftError(.format, "\(name): the model does not take texts; its inputs are \(model.inputs)")
        }
        let inputs = model.inputs.map(\.shape)
        guard (2...3).contains(inputs.count), inputs.allSatisfy({ $0 == rule.shape }) else {
            throw GraftError(
                .format,
                "\(name): its rule makes texts of \(rule.maximumLength) tokens with a mask, and the model takes \(inputs); the file is "
                    + "damaged or hostile, save the model again")
        }
        do throws(GraftError) {
            tokenizer = try Tokenizer(rule)
        } catch {
            throw error.inside(name)
        }
        outputs = try ClassifierOutputs(of: model, name, classNames: model.metadata.classNames, activation: nil)
        (self.model, self.rule, self.name, self.options) = (model, rule, name, options)
        lengths = Lengths(model)
    }

    /// Whether a model's inputs are texts.
    public static func takesTexts(_ model: Model) -> Bool {
        if case .tokens? = try? model.metadata.inputRule { true } else { false }
    }

    // MARK: Asking

    /// Says what a text is.
    ///
    /// - Throws: `GraftError` with code `data` for a text that the tokenizer cannot take, `cancelled`.
    public func classify(_ text: String) throws -> Classification {
        guard let answer = try classify([text]).first else { throw GraftError(.data, "no text was given") }
        return answer
    }

    /// Says what some texts are, in their order.
    ///
    /// - Parameter names: what answers call them; `text 1`, `text 2`, … where `nil`.
    /// - Throws: `GraftError` with code `data` for a text that the tokenizer cannot take, `cancelled`.
    public func classify(_ texts: [String], names: [String]? = nil) throws -> [Classification] {
        let examples = TextExamples(texts: texts, names: names)
        let outputs = try self.outputs(of: examples)
        return examples.names.enumerated().map { place, name in
            let values = outputs.values[(place * outputs.width)..<((place + 1) * outputs.width)].map(Double.init)
            return Classification(name: name, classes: self.outputs.ranked(values), outputs: values)
        }
    }

    /// How the classifier does on labelled texts: loss, accuracy, and which class was taken for which.
    ///
    /// - Parameters:
    ///   - texts: labelled as the classifier's classes are numbered.
    ///   - progress: called after each batch.
    /// - Throws: `GraftError` with code `format` where the outputs are neither probabilities nor those of a regression, `data`
    ///   for texts that do not fit, `cancelled`.
    public func evaluate(_ texts: TextExamples, progress: ((Progress) throws -> Void)? = nil) throws -> Evaluation {
        let task = try model.metadata.imageTask ?? .classes
        guard outputs.areProbabilities || task == .regression else {
            throw GraftError(
                .format, "\(name) gives no probabilities of classes, so there is nothing to compare with labels")
        }
        let found = try outputs(of: texts, progress: progress)
        let targets = try TextDataset(texts, rule).targets(of: Array(0..<texts.count))
        guard let targets = targets.first else {
            throw GraftError(.data, "the texts have no labels to compare answers with")
        }
        let answers = Tensor(found.values, shape: [texts.count, found.width])
        let input = Input(shape: [found.width])
        let judge = try Model(inputs: input, outputs: Identity()(input))
        judge.metadata = ModelMetadata(classNames: model.metadata.classNames)
        return try judge.evaluate(
            ArrayDataset(inputs: answers, targets: targets, classNames: texts.classNames), batchSize: 256,
            loss: task.loss(outputs: found.width), metrics: task.metrics,
            options: TrainingOptions(threads: options.threads))
    }

    /// The network's outputs, row by row.
    private func outputs(
        of examples: TextExamples, progress: ((Progress) throws -> Void)? = nil
    ) throws -> (values: [Float], width: Int) {
        let tokens = try TokenizedTexts(examples.texts, rule, tokenizer)
        let width = try model.output.shape.elementCount
        var values = [Float](repeating: 0, count: examples.count * width)
        let clock = Stopwatch()
        var done = 0
        for (dataset, members) in tokens.datasets(of: examples, hasPairs: model.inputs.count > 2) {
            try lengths.model(of: dataset.length).forEachPrediction(of: dataset, options: options) { part in
                for (row, index) in part.indices.enumerated() {
                    part.outputs[0].withUnsafeBuffer { source in
                        for place in 0..<width { values[members[index] * width + place] = source[row * width + place] }
                    }
                }
                done += part.indices.count
                try progress?(Progress(done: done, total: examples.count, elapsed: clock.seconds))
            }
        }
        return (values, width)
    }

    /// Writes the model with its classes and its tokenizer to one file, which Keras opens too.
    ///
    /// - Throws: as ``GraftModel/Model/save(_:)``.
    public func save(_ path: String) throws(GraftError) { try model.save(path) }
}

/// The networks of each length, made where they are needed.
private final class Lengths: Sendable {
    private let model: Model
    private let made = Mutex<[Int: Model]>([:])

    init(_ model: Model) { self.model = model }

    func model(of length: Int) throws -> Model {
        try made.withLock { made in
            if let known = made[length] { return known }
            let new = try model.shortened(to: length)
            made[length] = new
            return new
        }
    }
}
