import GraftGraph

/// A figure about predictions and targets, over a whole epoch or data set.
///
/// A metric is a *statistic*, computed in the graph for each batch and summed over the batches, and a *result*
/// computed from that sum; so that accuracy, precision, a confusion matrix or a histogram for the area under a curve
/// are all the same to the training loop, and none depends on how examples fall into batches. A figure that is no sum is
/// *accumulated* on the host instead: see ``MetricAccumulator``.
public struct Metric: Sendable {
    /// A batch's part of the statistic, of any shape, from predictions and targets whose axis 0 is the batch.
    public typealias Statistic =
        @Sendable (_ predictions: GraphValue, _ targets: GraphValue) throws -> GraphValue
    /// The figure, from the statistic's sum over all batches and the number of examples.
    public typealias Result = @Sendable (_ total: [Double], _ examples: Int) -> Double

    /// Which way a figure improves.
    public enum Direction: String, Sendable, Hashable {
        /// The larger the better: accuracy.
        case up
        /// The smaller the better: an error.
        case down
    }

    /// The key in ``History``: `accuracy`.
    public let name: String
    /// Which way the metric improves, for callbacks that monitor it; `nil` if unknown.
    public let direction: Direction?
    package let kind: Kind

    /// How a metric goes over the batches.
    package enum Kind: Sendable {
        /// Summed in the graph.
        case statistic(Statistic, Result)
        /// Accumulated on the host.
        case accumulator(@Sendable () -> any MetricAccumulator)
    }

    /// A metric of your own.
    ///
    /// - Parameters:
    ///   - name: its key in the history.
    ///   - direction: which way it improves, for callbacks that look for the best.
    ///   - statistic: what to sum over the batches.
    ///   - result: the metric from the sum; by default the sum divided by the number of examples.
    public init(
        _ name: String, direction: Direction? = nil, statistic: @escaping Statistic,
        result: @escaping Result = { total, examples in (total.first ?? 0) / Double(max(examples, 1)) }
    ) {
        (self.name, self.direction, kind) = (name, direction, .statistic(statistic, result))
    }

    /// A metric of your own that is accumulated on the host.
    ///
    /// - Parameters:
    ///   - name: its key in the history.
    ///   - direction: which way it improves, for callbacks that look for the best.
    ///   - accumulator: makes one that has seen nothing.
    public init(
        _ name: String, direction: Direction? = nil, accumulator: @escaping @Sendable () -> any MetricAccumulator
    ) {
        (self.name, self.direction, kind) = (name, direction, .accumulator(accumulator))
    }
}
