import GraftGraph

/// A figure about predictions and targets, over a whole epoch or data set.
///
/// A metric is a *statistic*, computed in the graph for each batch and summed over the batches, and a *result*
/// computed from that sum; so that accuracy, precision, a confusion matrix or a histogram for the area under a curve
/// are all the same to the training loop, and none depends on how examples fall into batches.
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
    package let statistic: Statistic
    package let result: Result

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
        (self.name, self.direction, self.statistic, self.result) = (name, direction, statistic, result)
    }
}

/// A metric's sum as it grows over the batches of an epoch; in double precision, so that long epochs stay exact.
package struct RunningStatistic {
    package private(set) var total: [Double]

    package init(total: [Double] = []) { self.total = total }

    package mutating func add(_ part: Tensor) {
        part.withUnsafeBuffer { part in
            if total.isEmpty { total = [Double](repeating: 0, count: part.count) }
            for index in part.indices { total[index] += Double(part[index]) }
        }
    }
}
