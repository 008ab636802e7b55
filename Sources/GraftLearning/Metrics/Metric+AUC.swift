import Foundation
import GraftGraph

/// The curve whose area is measured.
public enum AUCCurve: Sendable, Hashable {
    /// The true positive rate over the false positive rate.
    case roc
    /// Precision over recall.
    case pr
}

/// How the area between two points of a curve is taken.
public enum AUCSummation: Sendable, Hashable {
    /// A trapezium; under the curve of precision and recall, Davis and Goadrich's interpolation of true positives.
    case interpolation
    /// A rectangle as high as the lower point.
    case minoring
    /// A rectangle as high as the higher point.
    case majoring
}

extension Metric {
    /// The area under a curve, at evenly spaced thresholds: 0.5 is guessing and 1 is right, for ROC.
    ///
    /// Counts predictions above each of the thresholds `0 − ε, 1 / (n − 1), 2 / (n − 1), …, 1 + ε`, so that batches
    /// add up. All outputs count alike; class numbers become one-hot rows.
    ///
    /// - Parameters:
    ///   - curve: ROC or precision-recall.
    ///   - thresholds: n, 2 or more; fewer count as 2.
    ///   - summation: how the area between two points is taken.
    ///   - fromLogits: whether predictions are the operands of a sigmoid rather than probabilities.
    ///   - name: its key in the history.
    ///
    /// Source: keras/src/metrics/confusion_metrics.py and metrics_utils.py, version 3.15; J. Davis and M. Goadrich,
    /// doi:10.1145/1143844.1143874.
    public static func auc(
        curve: AUCCurve = .roc, thresholds: Int = 200, summation: AUCSummation = .interpolation,
        fromLogits: Bool = false, name: String = "auc"
    ) -> Metric {
        let thresholds = max(thresholds, 2)
        return Metric(name, direction: .up) { predictions, targets in
            let isTrue = try targets.perOutput(of: predictions)
            let probabilities = fromLogits ? try predictions.unary(.sigmoid) : predictions
            return try probabilities.countsAbove(thresholds, isTrue: isTrue)
        } result: { total, _ in
            let curveCounts = ThresholdCounts(total, thresholds: thresholds)
            return curveCounts.area(under: curve, summation)
        }
    }

    /// ``auc(curve:thresholds:summation:fromLogits:name:)`` under the ROC curve.
    public static var auc: Metric { auc() }
}

extension GraphValue {
    /// True and false positives at each threshold, then the numbers of positives and of negatives in the last column.
    ///
    /// - Returns: shape [2, thresholds + 1].
    fileprivate func countsAbove(_ thresholds: Int, isTrue: GraphValue) throws -> GraphValue {
        let count = shape.elementCount
        let scaled = try Float(thresholds - 1) * clipped(0, 1).reshaped(to: [count, 1])
        // Above −ε lies every prediction, so the first threshold is any number below 0; above 1 + ε lies none, which
        // `> n − 1` gives by itself. Keras rounds `p · (n − 1)` up and takes 1 off: the same comparison.
        let edges = [-1] + (1..<thresholds).map { Float($0) } + [-1]
        let isAbove = try scaled.binary(.greater, scope.constant(Tensor(edges, shape: [1, thresholds + 1])))
        let labels = try isTrue.reshaped(to: [count, 1])
        let sums = [
            try (isAbove * labels).reduced(.sum, axes: [0], keepDimensions: true),
            try (isAbove * (1 - labels)).reduced(.sum, axes: [0], keepDimensions: true),
        ]
        return scope[try scope.graph.concatenate(sums.map(\.id), axis: 0)]
    }
}

/// Counts at each threshold, ascending.
private struct ThresholdCounts {
    let truePositives: [Double]
    let falsePositives: [Double]
    let positives: Double
    let negatives: Double

    init(_ total: [Double], thresholds: Int) {
        truePositives = Array(total[0..<thresholds])
        falsePositives = Array(total[(thresholds + 1)..<(2 * thresholds + 1)])
        (positives, negatives) = (total[thresholds], total[2 * thresholds + 1])
    }

    func area(under curve: AUCCurve, _ summation: AUCSummation) -> Double {
        let recall = truePositives.map { Metric.share($0, of: positives) }
        switch (curve, summation) {
        case (.pr, .interpolation): return interpolatedPrecisionArea
        case (.pr, _):
            let precision = zip(truePositives, falsePositives).map { Metric.share($0, of: $0 + $1) }
            return Self.sum(recall, precision, summation)
        case (.roc, _):
            return Self.sum(falsePositives.map { Metric.share($0, of: negatives) }, recall, summation)
        }
    }

    /// The sum of strips; x descends.
    private static func sum(_ x: [Double], _ y: [Double], _ summation: AUCSummation) -> Double {
        (0..<(x.count - 1)).reduce(0) { sum, index in
            let (left, right) = (y[index], y[index + 1])
            let height =
                switch summation {
                case .interpolation: (left + right) / 2
                case .minoring: min(left, right)
                case .majoring: max(left, right)
                }
            return sum + (x[index] - x[index + 1]) * height
        }
    }

    /// The area under precision over recall where true positives grow evenly between two thresholds.
    private var interpolatedPrecisionArea: Double {
        (0..<(truePositives.count - 1)).reduce(0) { sum, index in
            let hits = truePositives[index] - truePositives[index + 1]
            let predicted = truePositives[index] + falsePositives[index]
            let predictedNext = truePositives[index + 1] + falsePositives[index + 1]
            let slope = Metric.share(hits, of: max(predicted - predictedNext, 0))
            let intercept = truePositives[index + 1] - slope * predictedNext
            let ratio = predicted > 0 && predictedNext > 0 ? predicted / predictedNext : 1
            return sum + Metric.share(slope * (hits + intercept * log(ratio)), of: positives)
        }
    }
}
