/// What a model knows besides its layers and weights; the member `graft.json` of a saved model.
public struct ModelMetadata: Hashable, Sendable {
    /// The classes that the outputs stand for, in order.
    public var classNames: [String]?
    /// How bytes become the model's input: the `InputRule` of GraftData as a file has it, an object with one member whose
    /// name is the kind of input. This room hands it on and looks at no kind; rooms that know both read it as `inputRule`.
    package var storedInputRule: Configuration?
    /// What makes probabilities of the outputs, where the last layer does not: the model was trained with
    /// `from_logits=True`. ``Model/withOutputActivation(_:)`` adds it.
    public var outputActivation: OutputActivation?
    /// Which run of training made the model: what tells a run that goes on which files are its own.
    package var run: String?

    /// What was learned, where it is not one class of several: `labels`, `regression`; `nil` else. GraftImages names them.
    package var task: String?
    /// What was held back from training, as a file has it; GraftImages reads it.
    package var storedSplit: Configuration?
    /// How sure the model's answers are and what they are unlike, as a file has it; `Graft` reads it.
    package var storedCalibration: Configuration?

    /// Both may be unknown.
    public init(classNames: [String]? = nil, outputActivation: OutputActivation? = nil) {
        (self.classNames, self.outputActivation) = (classNames, outputActivation)
    }

    /// What a class is called that has no name, by its number from 0: `class 2`.
    package static func nameOfClass(_ number: Int) -> String { "class \(number)" }
}

extension ModelMetadata: Codable {
    /// A rule for images is written under `image`, where files have had it from the beginning, every other one under
    /// `inputRule`.
    private enum CodingKeys: String, CodingKey {
        case classNames, image, inputRule, outputActivation, task, split, run, calibration
    }

    /// Reads what `encode` wrote.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            classNames: members.decodeIfPresent([String].self, forKey: .classNames),
            outputActivation: members.decodeIfPresent(OutputActivation.self, forKey: .outputActivation))
        run = try members.decodeIfPresent(String.self, forKey: .run)
        if let image = try members.decodeIfPresent([String: Configuration].self, forKey: .image) {
            storedInputRule = ["image": .object(image)]
        } else if let rule = try members.decodeIfPresent([String: Configuration].self, forKey: .inputRule) {
            storedInputRule = .object(rule)
        }
        task = try members.decodeIfPresent(String.self, forKey: .task)
        storedSplit = try members.decodeIfPresent([String: Configuration].self, forKey: .split).map { .object($0) }
        storedCalibration = try members.decodeIfPresent([String: Configuration].self, forKey: .calibration).map {
            .object($0)
        }
    }

    /// Writes what is known.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encodeIfPresent(classNames, forKey: .classNames)
        if let image = storedInputRule?["image"] {
            try members.encode(image, forKey: .image)
        } else {
            try members.encodeIfPresent(storedInputRule, forKey: .inputRule)
        }
        try members.encodeIfPresent(outputActivation, forKey: .outputActivation)
        try members.encodeIfPresent(run, forKey: .run)
        try members.encodeIfPresent(task, forKey: .task)
        try members.encodeIfPresent(storedSplit, forKey: .split)
        try members.encodeIfPresent(storedCalibration, forKey: .calibration)
    }
}
