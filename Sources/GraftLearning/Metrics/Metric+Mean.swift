import Foundation
import GraftGraph

extension Metric {
    /// A loss as a figure: its mean over the examples, without weights and penalties.
    public static func mean(of loss: Loss) -> Metric {
        Metric(loss.name, direction: .down) { predictions, targets in
            try loss.perExample(predictions, targets).reduced(.sum)
        }
    }

    /// The mean of `|p − t|`.
    public static var meanAbsoluteError: Metric { mean(of: .meanAbsoluteError) }

    /// The mean of `(p − t)²`.
    public static var meanSquaredError: Metric { mean(of: .meanSquaredError) }

    /// The root of the mean of `(p − t)²`.
    public static var rootMeanSquaredError: Metric {
        Metric("root_mean_squared_error", direction: .down) { predictions, targets in
            try Loss.meanSquaredError.perExample(predictions, targets).reduced(.sum)
        } result: { total, examples in
            ((total.first ?? 0) / Double(max(examples, 1))).squareRoot()
        }
    }

    /// The share of examples whose class is among the k largest predictions; targets are one-hot rows. Of equal
    /// predictions at the edge all count, as in Keras.
    ///
    /// Source: keras/src/metrics/accuracy_metrics.py, version 3.15.
    public static func topKCategoricalAccuracy(k: Int = 5) -> Metric {
        Metric("top_k_categorical_accuracy", direction: .up) { predictions, targets in
            let targets = try TargetRule.probabilities.aligned(targets, with: predictions)
            return try predictions.hits(of: targets.indexOfLargest().oneHot(classes: predictions), amongLargest: k)
        }
    }

    /// The share of examples whose class is among the k largest predictions; targets are class numbers.
    ///
    /// Source: keras/src/metrics/accuracy_metrics.py, version 3.15.
    public static func sparseTopKCategoricalAccuracy(k: Int = 5) -> Metric {
        Metric("sparse_top_k_categorical_accuracy", direction: .up) { predictions, targets in
            let targets = try TargetRule.classNumbers.aligned(targets, with: predictions)
            return try predictions.hits(of: targets.oneHot(classes: predictions), amongLargest: k)
        }
    }
}

extension GraphValue {
    /// How many rows have fewer than k elements that are larger than the one at the one of `classes`.
    fileprivate func hits(of classes: GraphValue, amongLargest k: Int) throws(GraftError) -> GraphValue {
        let chosen = try (self * classes).reduced(.sum, axes: [-1], keepDimensions: true)
        let larger = try binary(.greater, chosen).reduced(.sum, axes: [-1])
        return try larger.scalar(Float(k)).binary(.greater, larger).meanPerExample().reduced(.sum)
    }
}
