import GraftGraph

/// How figures of several classes become one.
public enum ClassAverage: Sendable, Hashable {
    /// From the counts of all classes together.
    case micro
    /// The mean over the classes.
    case macro
    /// The mean over the classes, each weighted with its number of examples.
    case weighted
}

extension Metric {
    /// The harmonic mean of precision and recall: see ``fBetaScore(beta:average:threshold:name:)`` with β = 1.
    public static func f1Score(
        average: ClassAverage = .macro, threshold: Float? = nil, name: String = "f1_score"
    ) -> Metric {
        fBetaScore(beta: 1, average: average, threshold: threshold, name: name)
    }

    /// `(1 + β²) · precision · recall / (β² · precision + recall)`, with 1e-7 in each denominator, as Keras has it.
    ///
    /// - Parameters:
    ///   - beta: how much more recall counts than precision.
    ///   - average: how the classes' figures become one; for the figure of each class see ``ConfusionMatrix``.
    ///   - threshold: outputs above it are predicted; where it is `nil`, the largest ones of each row, and 0.5 for a model
    ///     with one output (of which Keras would take all).
    ///   - name: its key in the history.
    ///
    /// Targets are 0 or 1 for each output; class numbers become one-hot rows.
    ///
    /// Source: keras/src/metrics/f_score_metrics.py, version 3.15.
    public static func fBetaScore(
        beta: Double, average: ClassAverage = .macro, threshold: Float? = nil, name: String = "fbeta_score"
    ) -> Metric {
        Metric(name, direction: .up) { predictions, targets in
            let isTrue = try targets.perOutput(of: predictions)
            let predicted = try predictions.predicted(above: threshold)
            let counts = [try predicted * isTrue, try predicted * (1 - isTrue), try (1 - predicted) * isTrue]
            return try counts.sumsPerClass()
        } result: { total, _ in
            FScore(beta: beta, total).average(average)
        }
    }
}

/// Figures of each class from true positives, false positives and false negatives, a row each.
private struct FScore {
    let beta: Double
    let counts: [(hits: Double, wrong: Double, missed: Double)]

    init(beta: Double, _ total: [Double]) {
        let classes = total.count / 3
        self.beta = beta
        counts = (0..<classes).map { (total[$0], total[classes + $0], total[2 * classes + $0]) }
    }

    func average(_ average: ClassAverage) -> Double {
        let scores = counts.map(score)
        switch average {
        case .micro:
            return score(counts.reduce((0, 0, 0)) { ($0.0 + $1.hits, $0.1 + $1.wrong, $0.2 + $1.missed) })
        case .macro: return scores.reduce(0, +) / Double(max(scores.count, 1))
        case .weighted:
            let sizes = counts.map { $0.hits + $0.missed }
            return zip(scores, sizes).reduce(0) { $0 + $1.0 * $1.1 } / (sizes.reduce(0, +) + 1e-7)
        }
    }

    private func score(_ count: (hits: Double, wrong: Double, missed: Double)) -> Double {
        let precision = count.hits / (count.hits + count.wrong + 1e-7)
        let recall = count.hits / (count.hits + count.missed + 1e-7)
        return precision * recall / (beta * beta * precision + recall + 1e-7) * (1 + beta * beta)
    }
}

extension GraphValue {
    /// 1 for outputs above the threshold; without one, for the largest of each row that are not zero.
    fileprivate func predicted(above threshold: Float?) throws(GraftError) -> GraphValue {
        if let threshold = threshold ?? (shape.last == 1 ? 0.5 : nil) { return try binary(.greater, threshold) }
        let isLargest = try binary(.greaterOrEqual, reduced(.maximum, axes: [-1], keepDimensions: true))
        return try isLargest * unary(.absolute).binary(.greater, 1e-9)
    }
}

extension [GraphValue] {
    /// The sums of each value over everything but the last axis, a row for each value.
    fileprivate func sumsPerClass() throws -> GraphValue {
        let sums = try map { value in
            let sum = try value.reduced(.sum, axes: [Int](0..<(value.shape.rank - 1)))
            return try sum.reshaped(to: [1, value.shape.last])
        }
        guard let first = sums.first else { throw GraftError(.argument, "there is nothing to count") }
        return first.scope[try first.scope.graph.concatenate(sums.map(\.id), axis: 0)]
    }
}
