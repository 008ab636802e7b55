import GraftImages

/// Which features a head reads: of which base, at which cuts, pooled how, on which scale.
public struct SearchFeatures: Sendable, Hashable, CustomStringConvertible {
    /// What is made of a map of features.
    public enum Pooling: String, Sendable, Hashable, CaseIterable {
        /// The mean over all places.
        case average
        /// The largest of all places.
        case max
    }

    /// What brings features to a common scale.
    public enum Scaling: String, Sendable, Hashable, CaseIterable {
        /// ``Head/Part/standardize``.
        case standardize
        /// ``Head/Part/centered``.
        case centered
    }

    /// The base's id.
    public var base: String
    /// The layers, the lowest first.
    public var cuts: [String]
    /// What is made of maps; `nil` for one cut that puts out a vector.
    public var pooling: Pooling?
    /// The scale.
    public var scaling: Scaling

    /// These features.
    public init(base: String, cuts: [String], pooling: Pooling?, scaling: Scaling) {
        (self.base, self.cuts, self.pooling, self.scaling) = (base, cuts, pooling, scaling)
    }

    /// `pocket stage4_block1_out, average, standardize`.
    public var description: String {
        let parts = [cuts.joined(separator: "+"), pooling?.rawValue, scaling.rawValue].compactMap(\.self)
        return "\(base) \(parts.joined(separator: ", "))"
    }

    /// The parts of a head that make these features.
    var parts: [Head.Part] {
        let pooling: [Head.Part] =
            switch pooling {
            case .average: [.averagePool]
            case .max: [.maxPool]
            case nil: []
            }
        return pooling + [scaling == .standardize ? .standardize : .centered]
    }
}

/// Something that a search may try: features, and what learns from them.
///
/// ```swift
/// var search = Search(budget: .minutes(10))
/// search.candidates = [
///     SearchCandidate(
///         SearchFeatures(base: "pocket", cuts: ["top_relu"], pooling: .max, scaling: .standardize),
///         .network(hidden: [.dense(64, activation: .relu)], penalty: 0.01))
/// ]
/// ```
public struct SearchCandidate: Sendable, Hashable, CustomStringConvertible {
    /// What learns from features.
    public enum Method: Sendable, Hashable {
        /// Ridge regression on the classes, solved in closed form; `penalty` is λ / n (``GraftLearning/HeldOutRidge``).
        case ridge(penalty: Double)
        /// The classes of so many nearest examples.
        case nearest(Int)
        /// A head that is trained: these layers and an output layer, the sum of whose squared weights counts so much.
        case network(hidden: Head, penalty: Float)
    }

    /// What it reads.
    public var features: SearchFeatures
    /// What learns.
    public var method: Method
    /// How some of the base trains on after the head; `nil` where it stays frozen.
    public var fineTuning: FineTuning?
    /// How many views of each image the head learns from (``usualAugmentation``); `nil` for the images themselves.
    public var views: Int?

    /// A candidate.
    public init(_ features: SearchFeatures, _ method: Method, fineTuning: FineTuning? = nil, views: Int? = nil) {
        (self.features, self.method, self.fineTuning, self.views) = (features, method, fineTuning, views)
    }

    /// How views differ from their images: as in most tutorials, and for images of most kinds. Folds say whether it helps.
    static let usualAugmentation = "flip,rotate:15,zoom:0.15"

    /// Whether it takes the images themselves, not features in memory.
    var takesImages: Bool { fineTuning != nil || views != nil }

    /// Whether it is a head that a model can be made of; others only rank features.
    public var isTrained: Bool { if case .network = method { true } else { false } }

    /// `pocket features, standardize, dense:256:relu, dropout:0.5, l2 0.2`.
    public var description: String {
        switch method {
        case .ridge(let penalty): "\(features), ridge \(penalty)"
        case .nearest(let count): "\(features), \(count) nearest"
        case .network(let hidden, let penalty):
            "\(features), \(hidden.parts.isEmpty ? "linear" : hidden.description), l2 \(penalty)"
                + (views.map { ", \($0) views of \(Self.usualAugmentation)" } ?? "") + tuned
        }
    }

    private var tuned: String {
        guard let fineTuning else { return "" }
        let part = if case .from(let layer) = fineTuning.unfrozen { layer } else { "the first layer" }
        return ", fine-tuned from \(part), \(fineTuning.epochs) epochs at \(fineTuning.learningRate)"
    }

    /// The recipe that trains it; `nil` for what is not trained.
    ///
    /// - Parameters:
    ///   - template: the base, its weights and how images become its input.
    ///   - epochs: passes over the images while the base is frozen.
    func recipe(from template: TrainingRecipe, epochs: Int, seed: UInt64) -> TrainingRecipe? {
        guard case .network(let hidden, let penalty) = method else { return nil }
        var recipe = template
        recipe.cut = features.cuts.joined(separator: "+")
        recipe.head = Head(features.parts + hidden.parts)
        (recipe.penalty, recipe.optimizer, recipe.learningRate, recipe.batchSize) = (penalty, .adam, 5e-4, 32)
        recipe.epochs = epochs
        if let views {
            (recipe.augmentation, recipe.views) = (try? Augmentation(Self.usualAugmentation), views)
        }
        (recipe.fineTuning, recipe.validationSplit, recipe.seed) = (fineTuning, nil, seed)
        return recipe
    }
}
