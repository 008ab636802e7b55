import GraftApplications
import GraftImages
import GraftTraining

/// Finds a base, a cut and a head that suit some images, within a budget.
///
/// ```swift
/// let images = try LabelledImages(at: "photos", rule: TrainingRecipe().rule)
/// let best = try Search(budget: .minutes(10)).run(on: images)
/// print(best.trial.candidate, best.accuracyOfChoosing ?? .nan)
/// try best.classifier.save("best.keras")
/// ```
///
/// 1. Each base runs once over a sample of the training images, and all its cuts are kept. Ridge regressions and nearest
///    neighbours on them are judged by k folds in closed form: hundreds of combinations in the time of a few trainings.
/// 2. Heads are trained on the best features that these found, and on the best of each base; successive halving
///    (arXiv:1603.06560) shares folds out among them.
/// 3. The best head is trained on all images.
///
/// Every image is judged by a fit that did not see it, nor any image that looks like it. A standardization takes its mean and
/// variance from all images of the sample, but no class.
public struct Search: Sendable {
    /// The bases in the order in which they are tried, each with its weights and how images become its input.
    public var bases: [TrainingRecipe]
    /// How much is done.
    public var budget: SearchBudget
    /// How many folds the images are divided into; fewer where a class has fewer images.
    public var folds = 5
    /// How many images are judged on; of more, a sample with each class's share. The model is trained on all of them.
    public var sampleLimit = 2000
    /// A regular expression with one capture, on paths: images with the same text in it stay in one fold.
    public var groups: String?
    /// Candidates of one's own: heads that are trained beside those that the search proposes.
    public var candidates: [SearchCandidate] = []
    /// Passes over the images of each head; where `nil`, so many that there are about 1,250 steps, 10 to 100.
    public var epochs: Int?
    /// A file that trials are kept in, so that the same search goes on where it ended; `nil` for none.
    public var journal: String?
    /// What folds, initial weights and the order of images follow from.
    public var seed: UInt64 = 0
    /// Threads, precision, the store of features, a flag to stop. Stopped, the search gives the best so far.
    public var options: TrainingOptions

    /// A search.
    ///
    /// - Parameters:
    ///   - bases: the bases to try; those at hand where `nil`.
    ///   - budget: how much is done.
    ///   - options: how the machine is used.
    public init(
        bases: [TrainingRecipe]? = nil, budget: SearchBudget = .minutes(10),
        options: TrainingOptions = TrainingOptions()
    ) {
        (self.bases, self.budget, self.options) = (bases ?? Self.basesAtHand(), budget, options)
    }

    /// The bases whose weights are part of Graft or on this machine: those of Graft first, as they are quick, then by their
    /// published accuracy.
    public static func basesAtHand(cache: FileCache = .standard()) -> [TrainingRecipe] {
        let cached = Base.all.filter { base in
            !base.hasBuiltInWeights && base.weights.flatMap { cache.candidate(for: $0) } != nil
        }
        return
            (Base.all.filter(\.hasBuiltInWeights)
            + cached.sorted { ($0.topOneAccuracy ?? 0) > ($1.topOneAccuracy ?? 0) })
            .map { TrainingRecipe(base: $0) }
    }

    /// Searches.
    ///
    /// - Parameters:
    ///   - images: images with classes. Those for validation and test take no part in the search; where there are such, they
    ///     say what the model is worth.
    ///   - tell: told what happens; what it throws ends the search.
    /// - Returns: a model trained on all training images, and all trials.
    /// - Throws: `GraftError` with code `argument` for settings out of their range, `data` for images without classes, or a
    ///   class with one image; `cancelled` where it was stopped, or its time was over, before any features were there.
    public func run(
        on images: LabelledImages, _ tell: @escaping (SearchEvent) throws -> Void = { _ in }
    ) throws -> SearchResult {
        try SearchRun(self, on: images, tell).run()
    }
}

/// What happens in a search.
public enum SearchEvent: Sendable {
    /// It begins: so many images in so many folds are judged on.
    case began(images: Int, folds: Int)
    /// A base's features are computed.
    case base(String)
    /// A base takes no part, and why.
    case skipped(base: String, reason: String)
    /// So far are the features of a base.
    case features(base: String, Progress)
    /// A candidate was judged, on some folds or all.
    case judged(SearchTrial)
    /// A trained head is the best so far.
    case better(SearchTrial)
    /// A model of the best so far, trained on the images that are judged on.
    case model(Classifier, SearchTrial)
    /// The best is trained on all images.
    case finishing(SearchTrial)
}

/// What a search found.
public struct SearchResult: Sendable {
    /// The model.
    public let classifier: Classifier
    /// How it was trained: a ``ClassifierTraining`` of it gives the same.
    public let recipe: TrainingRecipe
    /// The trial that was chosen.
    public let trial: SearchTrial
    /// All trials in their order.
    public let trials: [SearchTrial]
    /// The share of images that choosing by the other folds names right: what to expect of the model, were there no other
    /// images to ask; `nil` where the time was over before a head was judged on every fold.
    public let accuracyOfChoosing: Double?
    /// Accuracy on images for validation or test that took no part in the search; `nil` where there are none, or no time for
    /// them was left.
    public let heldBack: Evaluation?
    /// What each base takes for an image, in seconds.
    public let secondsPerImage: [String: Double]
    /// The parameters of a network up to the cuts of a trial's features, without its head.
    public let parameterCounts: [SearchFeatures: Int]
    /// How many images the model was trained on.
    public let imageCount: Int
    /// Whether all training images are among them.
    public let usesAllImages: Bool
    /// Whether it was stopped.
    public let isInterrupted: Bool
    /// The wall time in seconds.
    public let seconds: Double

    /// By how much the accuracy of the chosen trial promises more than choosing keeps.
    public var optimism: Double? { accuracyOfChoosing.map { trial.accuracy - $0 } }

    /// The trained heads that no other beats in accuracy with as few parameters or fewer; the smallest first.
    public var paretoFront: [SearchTrial] {
        front { trial in parameterCounts[trial.candidate.features].map(Double.init) }
    }

    /// The trained heads that no other beats at no higher cost; the cheapest first, of equal ones the first.
    func front(by cost: (SearchTrial) -> Double?) -> [SearchTrial] {
        let complete = trials.filter { $0.isComplete && $0.candidate.isTrained }
        let ordered = complete.enumerated().map { (place: $0, cost: cost($1) ?? .infinity, trial: $1) }.sorted {
            ($0.cost, -$0.trial.rightCount, $0.place) < ($1.cost, -$1.trial.rightCount, $1.place)
        }
        var front: [SearchTrial] = []
        for (_, _, trial) in ordered where trial.rightCount > front.last?.rightCount ?? -1 { front.append(trial) }
        return front
    }
}
