import GraftImages
import GraftLearning
import GraftTraining

/// What a classifier is worth, and why: the answer with its evidence, for a page (``html``) or for a program.
///
/// ```swift
/// let classifier = try Classifier(contentsOf: "cats-and-dogs.keras")
/// let report = try ModelReport(of: classifier, on: photos.validation, knowing: photos.training)
/// try report.writeHTML(to: "report.html")
/// ```
public struct ModelReport: Sendable {
    /// What the model says of one image.
    public struct Answer: Sendable, Hashable {
        /// The image.
        public let path: String
        /// The number of the class that it is labelled as.
        public let label: Int
        /// The number of the class that the model names.
        public let predicted: Int
        /// What the model gives that class, after calibration.
        public let confidence: Double
        /// Whether both are the same.
        public var isRight: Bool { label == predicted }
    }

    /// What is to be said of an image's label.
    public struct Suspect: Sendable, Hashable {
        /// The image.
        public let path: String
        /// What it is labelled as.
        public let label: String
        /// What it probably shows; of a label that is not suspected, what else it would be.
        public let suggestion: String
        /// What the label was given by models that had not seen the image.
        public let given: Double
        /// What the other class was given.
        public let suggested: Double
        /// Whether the label is probably wrong.
        public let isSuspected: Bool
    }

    /// Where an image is on a map of the features.
    public struct Place: Sendable, Hashable {
        /// The number of its class.
        public let label: Int
        /// Along the direction in which the images differ most, 0 to 1.
        public let x: Double
        /// Along the next one, 0 to 1.
        public let y: Double
    }

    /// Whether probabilities mean what they say.
    public struct Sureness: Sendable {
        /// Of the model's probabilities, as they are.
        public let measured: Calibration
        /// What makes them mean what they say.
        public let temperature: Temperature
        /// The expected calibration errors on halves that the temperature was not fitted to: as they are, and with it.
        public let heldOutErrors: (before: Double, after: Double)
        /// Of those answers that are at least so sure: how many there are, and how many of them are right.
        public let thresholds: [(confidence: Double, accuracy: Proportion)]
        /// Sets of classes that hold the right one in 90 of 100 images: the share that did on the other half, and their mean size.
        public let sets: (coverage: Double, size: Double)
    }

    /// What the report calls the model: its path.
    public let name: String
    /// The classes.
    public let classNames: [String]
    /// The images that the answer rests on.
    public let answers: [Answer]
    /// How many images the model could have learned from, of those that were given.
    public let knownCount: Int
    /// Whether the images that the answer rests on were held back from training, as far as is known.
    public let isHeldBack: Bool
    /// The share of right answers.
    public let accuracy: Proportion
    /// How often each class was taken for which.
    public let confusion: ConfusionMatrix
    /// Whether probabilities mean what they say.
    public let sureness: Sureness
    /// Labels that are probably wrong, the worst first; of all images.
    public let suspects: [Suspect]
    /// How many images suspects were looked for among.
    public let suspectedCount: Int
    /// Properties that give a class away.
    public let shortcuts: [Shortcut]
    /// Images that are alike in something.
    public let slices: [Slice]
    /// How the error of a linear probe on the model's features falls with the number of images; `nil` for fewer than three numbers.
    public let sampleSizes: SampleSizeCurve?
    /// Images on a map of the features, at most 2,000.
    public let places: [Place]
    /// The share of variance that the map shows.
    public let placesShare: Double
    /// What an audit found that harms; empty where there was none.
    public let findings: [ImageFinding]
    /// The images that could not be read.
    public let failures: [ExampleFailure]
    /// Whether new images look like those that the answer rests on; `nil` where there are none.
    public let drift: Drift?
    /// Lines on how it was made: model, data, machine, time.
    public let provenance: [(name: String, value: String)]

    /// What is drawn: small JPEG files by path.
    let pictures: ReportPictures

    /// Each class with how many images it has, how many of them were recognised, and so on.
    public var classes: [ClassMetrics] { confusion.classMetrics(names: classNames) }
    /// The wrong answers, the surest first.
    public var errors: [Answer] {
        answers.filter { !$0.isRight }.sorted { ($1.confidence, $0.path) < ($0.confidence, $1.path) }
    }
    /// The answers that are least sure, right or wrong.
    public var leastSure: [Answer] { answers.sorted { ($0.confidence, $0.path) < ($1.confidence, $1.path) } }
}
