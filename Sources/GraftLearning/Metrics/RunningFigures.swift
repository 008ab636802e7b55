import GraftGraph

/// The loss and the metrics of the examples so far; averages weighted by example, as Keras's are.
package struct RunningFigures {
    private let metrics: [Metric]
    private let prefix: String
    package var loss = 0.0
    package var examples = 0
    package var statistics: [RunningStatistic]

    /// - Parameter prefix: before each key: `val_`.
    package init(_ metrics: [Metric], prefix: String = "") {
        (self.metrics, self.prefix) = (metrics, prefix)
        statistics = metrics.map { _ in RunningStatistic() }
    }

    /// Adds a batch: the sum of its examples' losses, and a statistic for each metric.
    package mutating func add(lossSum: Double, statistics parts: some Sequence<Tensor>, examples: Int) {
        loss += lossSum
        self.examples += examples
        for (index, part) in zip(statistics.indices, parts) { statistics[index].add(part) }
    }

    /// The figures by key.
    package var values: [String: Double] {
        var values = [prefix + "loss": loss / Double(max(examples, 1))]
        for (metric, statistic) in zip(metrics, statistics) {
            values[prefix + metric.name] = metric.result(statistic.total, examples)
        }
        return values
    }
}
