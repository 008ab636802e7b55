/// What becomes of features at the end of a base without its top: Keras's argument `pooling`.
public enum GlobalPooling: String, Codable, Hashable, Sendable, CaseIterable {
    /// Nothing: features keep their places, (height, width, channels).
    case none
    /// The mean over all places, (channels).
    case average
    /// The largest over all places, (channels).
    case max
}

/// How a base is made: Keras's arguments with Keras's defaults, but for the weights, which are random where none are
/// named.
public struct BaseOptions: Hashable, Sendable {
    /// Where the weights come from.
    public var weights: Weights
    /// Whether the classifier that the base was trained with is on top.
    public var includeTop: Bool
    /// Rows, columns and channels of an image; the base's default size with three channels where `nil`.
    public var inputShape: Shape?
    /// What becomes of the features; for a base without its top.
    public var pooling: GlobalPooling
    /// The number of classes; for a base with its top.
    public var classes: Int
    /// The activation of the last layer; for a base with its top. `.linear` gives logits.
    public var classifierActivation: ActivationFunction
    /// What the model does first to an image; the base's own preprocessing where `nil`.
    public var preprocessing: Preprocessing?
    /// The model's name; Keras's where `nil`.
    public var name: String?
    /// What random weights are drawn from.
    public var seed: UInt64

    /// These arguments; by default those of Keras, with random weights.
    public init(
        weights: Weights = .none, includeTop: Bool = true, inputShape: Shape? = nil, pooling: GlobalPooling = .none,
        classes: Int = 1000, classifierActivation: ActivationFunction = .softmax, preprocessing: Preprocessing? = nil,
        name: String? = nil, seed: UInt64 = 0
    ) {
        self.weights = weights
        self.includeTop = includeTop
        self.inputShape = inputShape
        self.pooling = pooling
        self.classes = classes
        self.classifierActivation = classifierActivation
        self.preprocessing = preprocessing
        self.name = name
        self.seed = seed
    }
}
