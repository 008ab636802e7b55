import GraftGraph

extension Loss {
    /// Binary cross-entropy of probabilities: see ``binaryCrossentropy(fromLogits:labelSmoothing:)``.
    public static var binaryCrossentropy: Loss { binaryCrossentropy() }

    /// `−(t · ln p + (1 − t) · ln(1 − p))`, the mean over all outputs of an example.
    ///
    /// Where the predictions come straight from a sigmoid, the sigmoid's operand x is used, as Keras does:
    /// `max(x, 0) − x · t + ln(1 + e^−|x|)`, which is exact for large |x|. Other probabilities are clipped to
    /// 1e-7 … 1 − 1e-7.
    ///
    /// - Parameters:
    ///   - fromLogits: whether predictions are the operands of a sigmoid rather than probabilities.
    ///   - labelSmoothing: 0 to 1; targets become `t · (1 − s) + s / 2`.
    ///
    /// Source: keras/src/losses/losses.py and keras/src/backend/tensorflow/nn.py, version 3.15.
    public static func binaryCrossentropy(fromLogits: Bool = false, labelSmoothing: Float = 0) -> Loss {
        Loss("binary_crossentropy", targets: .probabilities) { predictions, targets in
            let targets = labelSmoothing == 0 ? targets : try (1 - labelSmoothing) * targets + 0.5 * labelSmoothing
            return fromLogits
                ? try sigmoidCrossentropy(predictions, targets) : try binaryCrossentropy(of: predictions, targets)
        }
    }

    /// The cross-entropy of probabilities, or of a sigmoid's operand where they come straight from one.
    static func binaryCrossentropy(of predictions: GraphValue, _ targets: GraphValue) throws -> GraphValue {
        if let logits = predictions.operand(of: .elementwise(.unary(.sigmoid))) {
            return try sigmoidCrossentropy(logits, targets)
        }
        let clipped = try predictions.clipped(epsilon, 1 - epsilon)
        let hit = try targets * clipped.logarithm()
        let miss = try (1 - targets) * (1 - clipped).logarithm()
        return try -(hit + miss)
    }

    /// `x⁺ − x · t + ln(1 + e^−|x|)`. Both pieces choose by `x ≥ 0`, as TensorFlow's do, so that the derivative is
    /// `sigmoid(x) − t` at zero too.
    private static func sigmoidCrossentropy(_ logits: GraphValue, _ targets: GraphValue) throws -> GraphValue {
        let zero = try logits.scalar(0)
        let isPositive = try logits.binary(.greaterOrEqual, zero)
        let positivePart = try logits.selected(where: isPositive, otherwise: zero)
        let minusMagnitude = try (-logits).selected(where: isPositive, otherwise: logits)
        let softplus = try minusMagnitude.unary(.exponential).unary(.logarithmOnePlus)
        return try positivePart - logits * targets + softplus
    }

    /// Categorical cross-entropy of probabilities: see ``categoricalCrossentropy(fromLogits:labelSmoothing:)``.
    public static var categoricalCrossentropy: Loss { categoricalCrossentropy() }

    /// `−Σ t · ln p` over the classes, the last axis; targets are one-hot rows or probabilities.
    ///
    /// Where the predictions come straight from a softmax, its operand is used with a stable logarithm, as Keras does.
    /// Other probabilities are normalized to the sum 1 and clipped to 1e-7 … 1 − 1e-7.
    ///
    /// - Parameters:
    ///   - fromLogits: whether predictions are the operands of a softmax rather than probabilities.
    ///   - labelSmoothing: 0 to 1; targets become `t · (1 − s) + s / classes`.
    ///
    /// Source: keras/src/losses/losses.py and keras/src/backend/tensorflow/nn.py, version 3.15.
    public static func categoricalCrossentropy(fromLogits: Bool = false, labelSmoothing: Float = 0) -> Loss {
        Loss("categorical_crossentropy", targets: .distributions) { predictions, targets in
            let share = labelSmoothing / Float(predictions.shape.last)
            let targets = labelSmoothing == 0 ? targets : try (1 - labelSmoothing) * targets + share
            if let logits = fromLogits ? predictions : predictions.operand(of: .softmax(.softmax)) {
                return try -(targets * logits.logSoftmax()).reduced(.sum, axes: [-1])
            }
            let total = try predictions.reduced(.sum, axes: [-1], keepDimensions: true)
            let clipped = try (predictions / total).clipped(epsilon, 1 - epsilon)
            return try -(targets * clipped.logarithm()).reduced(.sum, axes: [-1])
        }
    }

    /// Sparse categorical cross-entropy of probabilities: see ``sparseCategoricalCrossentropy(fromLogits:)``.
    public static var sparseCategoricalCrossentropy: Loss { sparseCategoricalCrossentropy() }

    /// `−ln p[t]`, where targets are class numbers.
    ///
    /// Where the predictions come straight from a softmax, its operand is used with a stable logarithm, as Keras does.
    /// Other probabilities are clipped to 1e-7 … 1 − 1e-7 and, as in Keras, normalized to the sum 1 after that.
    ///
    /// - Parameter fromLogits: whether predictions are the operands of a softmax rather than probabilities.
    ///
    /// Source: keras/src/backend/tensorflow/nn.py, version 3.15.
    public static func sparseCategoricalCrossentropy(fromLogits: Bool = false) -> Loss {
        Loss("sparse_categorical_crossentropy", targets: .classNumbers) { predictions, targets in
            let logits =
                if let logits = fromLogits ? predictions : predictions.operand(of: .softmax(.softmax)) {
                    logits
                } else {
                    try predictions.clipped(epsilon, 1 - epsilon).logarithm()
                }
            let hits = try targets.oneHot(classes: predictions)
            return try -(hits * logits.logSoftmax()).reduced(.sum, axes: [-1])
        }
    }

    /// The cross-entropy for a classifier with this many outputs whose targets are class indices: binary for one output,
    /// sparse categorical for more.
    public static func classification(outputs: Int) -> Loss {
        outputs == 1 ? .binaryCrossentropy : .sparseCategoricalCrossentropy
    }

    /// Keras's `backend.epsilon()`: how close probabilities may come to 0 and 1.
    static let epsilon: Float = 1e-7
}

extension GraphValue {
    /// What this value's operation reads, where it is the given one; `nil` otherwise. Reshapes are looked through only
    /// where there are none: a loss sees a model's output as its last layer made it.
    func operand(of operation: Operation) -> GraphValue? { self.operation == operation ? operands.first : nil }

    /// Rows of zeros with a one at the class that each number names; as many classes as `classes` has in its last axis.
    func oneHot(classes: GraphValue) throws(GraftError) -> GraphValue {
        let column = try reshaped(to: Shape(shape.dimensions + [1]))
        return try column.binary(.equal, classes.positionsOfLastAxis())
    }
}
