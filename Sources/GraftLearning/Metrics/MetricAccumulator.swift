import GraftGraph

/// What a metric that is no sum over batches remembers of the examples so far, on the host.
///
/// For figures that need every prediction, such as average precision; what can be summed is better a statistic in the graph
/// (see ``Metric/init(_:direction:statistic:result:)``).
public protocol MetricAccumulator: Sendable {
    /// Adds a batch of an output's predictions and its targets; axis 0 is the batch.
    mutating func add(predictions: Tensor, targets: Tensor)
    /// The figure over all examples so far: asked for at the end of an epoch, not after each step.
    var value: Double { get }
    /// All that it remembers, so that a run can be resumed in the middle of an epoch.
    var state: [Double] { get set }
}
