import GraftGraph

/// How far predictions are from targets: one number an example, of which training minimises the mean.
///
///     model.compile(optimizer: Adam(), loss: .binaryCrossentropy)
///     model.compile(optimizer: Adam(), loss: .categoricalCrossentropy(labelSmoothing: 0.1))
///
/// Your own is a formula: see ``init(_:targets:_:)``.
public struct Loss: Sendable {
    /// One number an example, of shape [batch], from predictions and targets whose axis 0 is the batch.
    public typealias Formula = @Sendable (_ predictions: GraphValue, _ targets: GraphValue) throws -> GraphValue

    /// Keras's name: `binary_crossentropy`.
    public let name: String
    /// What targets must look like to fit.
    public let targets: TargetRule
    private let formula: Formula

    /// A loss of your own.
    ///
    /// - Parameters:
    ///   - name: its name in messages and in files.
    ///   - targets: what targets must look like; checked before anything is computed.
    ///   - formula: one number an example, shape [batch], or a value that has further axes: their mean is taken.
    public init(_ name: String, targets: TargetRule = .likePredictions, _ formula: @escaping Formula) {
        (self.name, self.targets, self.formula) = (name, targets, formula)
    }

    /// The formula's own result, with the axes that it leaves.
    func losses(_ predictions: GraphValue, _ targets: GraphValue) throws -> GraphValue {
        try formula(predictions, targets)
    }

    /// Adds the loss of each example to the graph.
    ///
    /// - Parameters:
    ///   - predictions: a model's output, axis 0 the batch.
    ///   - targets: as `targets` says, or with one axis of size 1 more or less, as Keras allows.
    /// - Returns: shape [batch].
    /// - Throws: `GraftError` with code `shape` where predictions and targets do not fit each other.
    package func perExample(_ predictions: GraphValue, _ targets: GraphValue) throws -> GraphValue {
        let targets = try self.targets.aligned(targets, with: predictions)
        let loss = try formula(predictions, targets)
        guard loss.shape.rank > 0, loss.shape[0] == predictions.shape[0] else {
            throw GraftError(
                .shape,
                "the loss \(name) gave the shape \(loss.shape); it must give one number for each of the "
                    + "\(predictions.shape[0]) examples of the batch")
        }
        return try loss.meanPerExample()
    }

    /// The mean over the batch of ``perExample(_:_:)``: a scalar, what Keras's `sum_over_batch_size` gives.
    ///
    /// - Parameter weights: what each example's loss is multiplied with, shape [batch]; the sum is divided by the number
    ///   of examples all the same.
    package func mean(_ predictions: GraphValue, _ targets: GraphValue, weights: GraphValue? = nil) throws -> GraphValue
    {
        let losses = try perExample(predictions, targets)
        return try (weights.map { try $0 * losses } ?? losses).reduced(.mean)
    }
}
