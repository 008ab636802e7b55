import GraftGraph

/// A metric of one of a model's outputs.
package struct OutputMetric: Sendable {
    /// Its key in the history: `accuracy`, or `class_accuracy` where the model has several outputs.
    package let key: String
    /// The output's place.
    package let output: Int
    package let metric: Metric

    /// A metric of an output.
    package init(key: String, output: Int, _ metric: Metric) {
        (self.key, self.output, self.metric) = (key, output, metric)
    }
}

/// What a step puts out beside its loss, and what the figures of a run are made of.
package struct Measures: Sendable {
    /// The keys of the objective's terms, where there are several.
    package let termKeys: [String]
    package let metrics: [OutputMetric]

    /// The terms of an objective, and metrics.
    package init(_ objective: Objective, _ metrics: [OutputMetric]) {
        (termKeys, self.metrics) = (objective.termKeys, metrics)
    }

    /// The outputs whose predictions are accumulated on the host, each once.
    package var accumulatedOutputs: [Int] {
        Set(metrics.compactMap { if case .accumulator = $0.metric.kind { $0.output } else { nil } }).sorted()
    }

    /// Adds what is measured of a batch to the graph.
    ///
    /// - Parameter terms: the sum or the mean of each of the objective's terms.
    /// - Returns: the terms where there are several, the metrics' statistics, and the predictions that the host accumulates.
    package func values(
        terms: [GraphValue], outputs: [GraphValue], targets: [GraphValue]
    ) throws -> [GraphValue] {
        let statistics = try metrics.compactMap { metric in
            if case .statistic(let statistic, _) = metric.metric.kind {
                try statistic(outputs[metric.output], targets[metric.output])
            } else {
                nil
            }
        }
        return (termKeys.isEmpty ? [] : terms) + statistics + accumulatedOutputs.map { outputs[$0] }
    }
}

/// The loss and the metrics of the examples so far; averages weighted by example, as Keras's are.
package struct RunningMetrics: Sendable {
    private let measures: Measures
    private let prefix: String
    private var loss = 0.0
    private var terms: [Double]
    private var examples = 0
    private var metrics: [RunningMetric]

    /// - Parameter prefix: before each key: `val_`.
    package init(_ measures: Measures, prefix: String = "") {
        (self.measures, self.prefix) = (measures, prefix)
        terms = measures.termKeys.map { _ in 0 }
        metrics = measures.metrics.map { RunningMetric($0.metric) }
    }

    /// Adds a batch.
    ///
    /// - Parameters:
    ///   - outputs: a step's outputs: the loss, then ``Measures/values(terms:outputs:targets:)``.
    ///   - targets: a tensor for each of the model's outputs.
    ///   - scale: what makes sums over the batch of the loss and the terms: 1 where they are sums, the number of examples
    ///     where they are means.
    package mutating func add(_ outputs: [Tensor], targets: [Tensor], examples: Int, scale: Double = 1) {
        loss += Double(outputs[0][0]) * scale
        self.examples += examples
        var rest = outputs.dropFirst()
        for index in terms.indices { terms[index] += Double(rest.popFirst()?[0] ?? 0) * scale }
        for index in metrics.indices where metrics[index].isStatistic {
            if let part = rest.popFirst() { metrics[index].add(part) }
        }
        let predictions = Dictionary(uniqueKeysWithValues: zip(measures.accumulatedOutputs, rest))
        for (index, metric) in measures.metrics.enumerated() where !metrics[index].isStatistic {
            guard let predictions = predictions[metric.output] else { continue }
            metrics[index].add(predictions: predictions, targets: targets[metric.output])
        }
    }

    /// The figures by key.
    package var values: [String: Double] { values { _ in true } }

    /// The figures by key that cost nothing to say after each step: without those that are accumulated, which may go through
    /// all examples so far.
    package var valuesOfStep: [String: Double] { values(where: \.isStatistic) }

    private func values(where isWanted: (RunningMetric) -> Bool) -> [String: Double] {
        let count = Double(max(examples, 1))
        var values = [prefix + "loss": loss / count]
        for (key, term) in zip(measures.termKeys, terms) { values[prefix + key] = term / count }
        for (metric, running) in zip(measures.metrics, metrics) where isWanted(running) {
            values[prefix + metric.key] = running.value(examples: examples)
        }
        return values
    }

    // MARK: Resuming

    /// All that it remembers, so that a run can be resumed in the middle of an epoch.
    package var state: State {
        get { State(loss: loss, examples: examples, statistics: metrics.map(\.state) + terms.map { [$0] }) }
        set {
            (loss, examples) = (newValue.loss, newValue.examples)
            for (index, state) in zip(metrics.indices, newValue.statistics) { metrics[index].state = state }
            for (index, state) in zip(terms.indices, newValue.statistics.dropFirst(metrics.count)) {
                terms[index] = state.first ?? 0
            }
        }
    }

    /// Sums, with all their digits.
    package struct State: Sendable {
        /// The sum of the losses.
        package var loss: Double
        package var examples: Int
        /// For each metric what it remembers, then for each term its sum.
        package var statistics: [[Double]]

        /// A state of these sums.
        package init(loss: Double, examples: Int, statistics: [[Double]]) {
            (self.loss, self.examples, self.statistics) = (loss, examples, statistics)
        }
    }
}

/// A metric over the batches of an epoch; in double precision, so that long epochs stay exact.
private enum RunningMetric: Sendable {
    case statistic(total: [Double], Metric.Result)
    case accumulated(any MetricAccumulator)

    init(_ metric: Metric) {
        switch metric.kind {
        case .statistic(_, let result): self = .statistic(total: [], result)
        case .accumulator(let make): self = .accumulated(make())
        }
    }

    var isStatistic: Bool { if case .statistic = self { true } else { false } }

    mutating func add(_ part: Tensor) {
        guard case .statistic(var total, let result) = self else { return }
        // So that the sum has one holder and grows in place.
        self = .statistic(total: [], result)
        part.withUnsafeBuffer { part in
            if total.isEmpty { total = [Double](repeating: 0, count: part.count) }
            for index in part.indices { total[index] += Double(part[index]) }
        }
        self = .statistic(total: total, result)
    }

    mutating func add(predictions: Tensor, targets: Tensor) {
        guard case .accumulated(var accumulator) = self else { return }
        self = .statistic(total: []) { _, _ in 0 }
        accumulator.add(predictions: predictions, targets: targets)
        self = .accumulated(accumulator)
    }

    func value(examples: Int) -> Double {
        switch self {
        case .statistic(let total, let result): result(total, examples)
        case .accumulated(let accumulator): accumulator.value
        }
    }

    var state: [Double] {
        get {
            switch self {
            case .statistic(let total, _): total
            case .accumulated(let accumulator): accumulator.state
            }
        }
        set {
            switch self {
            case .statistic(_, let result): self = .statistic(total: newValue, result)
            case .accumulated(var accumulator):
                accumulator.state = newValue
                self = .accumulated(accumulator)
            }
        }
    }
}
