import GraftGraph

extension Metric {
    /// The area under the curve of precision over recall as a step function: `Σ (Rₙ − Rₙ₋₁) · Pₙ` over the scores in descending
    /// order, equal ones together.
    ///
    /// Exact, where ``auc(curve:thresholds:summation:fromLogits:name:)`` counts at some thresholds; remembers two numbers a
    /// prediction. All outputs count alike; class numbers become one-hot rows. 0 where nothing is positive.
    ///
    /// - Parameter name: its key in the history.
    ///
    /// Source: scikit-learn's `average_precision_score` with `average="micro"`.
    public static func averagePrecision(name: String = "average_precision") -> Metric {
        Metric(name, direction: .up) { PrecisionCurve() }
    }

    /// ``averagePrecision(name:)``
    public static var averagePrecision: Metric { averagePrecision() }
}

/// All scores, with whether each was to be positive.
private struct PrecisionCurve: MetricAccumulator {
    /// The scores, then the labels, in turns.
    var state: [Double] = []

    mutating func add(predictions: Tensor, targets: Tensor) {
        let width = targets.count == predictions.count ? 1 : predictions.shape.last
        let (scores, labels) = (predictions.scalars, targets.scalars)
        for (index, score) in scores.enumerated() {
            let label = width == 1 ? Double(labels[index]) : labels[index / width] == Float(index % width) ? 1 : 0
            state.append(Double(score))
            state.append(label)
        }
    }

    var value: Double {
        let pairs = stride(from: 0, to: state.count - 1, by: 2).map { (score: state[$0], label: state[$0 + 1]) }
            .sorted { $0.score > $1.score }
        let positives = pairs.reduce(0) { $0 + $1.label }
        guard positives > 0 else { return 0 }
        var (found, area, recall) = (0.0, 0.0, 0.0)
        for (rank, pair) in pairs.enumerated() {
            found += pair.label
            guard rank + 1 == pairs.count || pairs[rank + 1].score != pair.score else { continue }
            area += (found / positives - recall) * found / Double(rank + 1)
            recall = found / positives
        }
        return area
    }
}
