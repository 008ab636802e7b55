import GraftFormats
import GraftImages
import GraftModel
import GraftTraining

/// A model of images with what it needs to say what an image shows: its classes, how an image becomes its input, and what
/// its outputs are.
///
/// ```swift
/// let classifier = try Classifier(contentsOf: "cats-and-dogs.keras")
/// let answer = try classifier.classify(contentsOf: "one.jpg")
/// print(answer.best?.name ?? "", answer["cats"] ?? 0)
/// ```
///
/// All comes from the file: a `.keras` archive that Graft or Keras wrote. A classifier may be used from many threads at
/// once; the plans that it computes with are made at the first image and kept.
public struct Classifier: Sendable {
    /// The network, with the layer that makes probabilities of its outputs where its file lacks it.
    public let model: Model
    /// What its outputs are.
    public let outputs: ClassifierOutputs
    /// How an image becomes its input.
    public let rule: ImageRule
    /// What messages call it: the path of its file, or the model's name.
    public let name: String
    /// What it needs to say how sure it is; `nil` where the model does not remember it, or its outputs are no probabilities of classes
    /// that exclude each other.
    public let calibration: ClassifierCalibration?
    /// How the machine is used.
    public var options: TrainingOptions
    /// Looks at more than outputs; made at the first image.
    let explainers = Explainers()

    /// The classes in the order of their numbers; empty where the outputs stand for no classes.
    public var classNames: [String] { outputs.classNames }

    /// Reads a classifier from a file.
    ///
    /// - Parameters:
    ///   - path: a `.keras` archive.
    ///   - inputSize: rows and columns, for a file that leaves them open.
    ///   - classNames: what the classes are called, for a file that does not say.
    ///   - outputActivation: what makes probabilities of the outputs, for a model that ends without softmax or sigmoid and
    ///     whose compile configuration does not say `from_logits=True`.
    ///   - options: threads and precision; Keras's numbers by default.
    /// - Throws: `GraftError` as ``GraftModel/Model/load(_:inputShape:registry:)``, with code `shape` for another size than
    ///   the file's, and as ``init(_:named:classNames:outputActivation:options:)``.
    public init(
        contentsOf path: String, inputSize: Int? = nil, classNames: [String]? = nil,
        outputActivation: OutputActivation? = nil, options: TrainingOptions = TrainingOptions()
    ) throws(GraftError) {
        let sizes = InputShapes(
            inputSize.map { .side($0) }, wayOut: "Classifier(contentsOf: path, inputSize: 224)")
        let model = try Model.load(path, sizes: sizes)
        try self.init(
            model, named: path, classNames: classNames, outputActivation: outputActivation, options: options)
        guard let inputSize else { return }
        for shape in model.inputs.map(\.shape) where shape.rank != 3 || shape[0] != inputSize || shape[1] != inputSize {
            throw GraftError(
                .shape,
                "inputSize: \(path) takes \(shape.batchDescription) and nothing else; the argument is for models that leave "
                    + "the size open")
        }
    }

    /// A classifier of a model.
    ///
    /// - Parameters:
    ///   - model: the model. Names that are given here become part of its metadata.
    ///   - name: what messages call it; the model's name where `nil`.
    ///   - classNames: what the classes are called, where the metadata does not say.
    ///   - outputActivation: what makes probabilities of the outputs, where the model ends without softmax or sigmoid.
    ///   - options: threads and precision.
    /// - Throws: `GraftError` with code `format` where the model takes no images or has several outputs, and where the
    ///   names are not as many as its classes; `argument` for an activation on top of another.
    public init(
        _ model: Model, named name: String? = nil, classNames: [String]? = nil,
        outputActivation: OutputActivation? = nil, options: TrainingOptions = TrainingOptions()
    ) throws(GraftError) {
        let name = name ?? model.name
        rule = try Self.rule(of: model, name)
        let names = classNames ?? model.metadata.classNames
        outputs = try ClassifierOutputs(of: model, name, classNames: names, activation: outputActivation)
        model.metadata.classNames = names
        if case .activated(let activation, _) = outputs.meaning {
            self.model = try model.withOutputActivation(activation)
        } else {
            self.model = model
        }
        switch outputs.meaning {
        case .probabilities, .activated: calibration = try model.metadata.calibration
        default: calibration = nil
        }
        (self.name, self.options) = (name, options)
    }

    /// How images become a model's input: the rule in its metadata, or what follows from its input where Keras wrote it.
    ///
    /// - Throws: `GraftError` with code `format` where it does not take images, and where the rule makes images of another
    ///   shape than its input: no memory is taken for those.
    package static func rule(of model: Model, _ name: String) throws(GraftError) -> ImageRule {
        switch try model.metadata.inputRule {
        case .image(let rule):
            try check(rule, fits: model, name)
            return rule
        case .tokens: throw GraftError(.format, "\(name): the model does not take images; its inputs are texts")
        case nil: break
        }
        guard let input = model.inputs.first, model.inputs.count == 1, input.shape.rank == 3,
            [1, 3].contains(input.shape[2])
        else { throw GraftError(.format, "\(name): the model does not take images; its inputs are \(model.inputs)") }
        return ImageRule(height: input.shape[0], width: input.shape[1], channels: input.shape[2])
    }

    private static func check(_ rule: ImageRule, fits model: Model, _ name: String) throws(GraftError) {
        guard model.inputs.map(\.shape) != [rule.shape] else { return }
        let needs = model.inputs.map(\.shape.description).joined(separator: ", ")
        throw GraftError(
            .format,
            "\(name): its image rule makes images of the shape \(rule.shape), and the model takes \(needs); the file is "
                + "damaged or hostile, save the model again")
    }

    /// Writes the model with its classes and its rule to one file, which Keras opens too.
    ///
    /// - Throws: as ``GraftModel/Model/save(_:)``.
    public func save(_ path: String) throws(GraftError) {
        model.metadata.setInputRule(.image(rule))
        try model.save(path)
    }
}
