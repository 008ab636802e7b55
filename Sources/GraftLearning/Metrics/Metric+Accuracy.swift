import GraftGraph

extension Metric {
    /// The share of examples whose class is predicted right, as Keras's `"accuracy"` resolves it from the shapes:
    /// binary where the last axis of the predictions has size 1, sparse categorical where targets are class numbers,
    /// categorical where they have a number a class.
    ///
    /// Source: keras/src/trainers/compile_utils.py, version 3.15.
    public static var accuracy: Metric {
        Metric("accuracy", direction: .up) { predictions, targets in
            if predictions.shape.last == 1 { return try binaryHits(predictions, targets) }
            let areClassNumbers = TargetRule.classNumbers.fits(targets.shape, predictions: predictions.shape)
            return areClassNumbers
                ? try sparseCategoricalHits(predictions, targets) : try categoricalHits(predictions, targets)
        }
    }

    /// The share of outputs on the right side of 0.5.
    public static var binaryAccuracy: Metric { Metric("binary_accuracy", direction: .up, statistic: binaryHits) }

    /// The share of rows whose largest prediction is where the largest target does.
    public static var categoricalAccuracy: Metric {
        Metric("categorical_accuracy", direction: .up, statistic: categoricalHits)
    }

    /// The share of rows whose largest prediction is at the class number that is the target.
    public static var sparseCategoricalAccuracy: Metric {
        Metric("sparse_categorical_accuracy", direction: .up, statistic: sparseCategoricalHits)
    }

    private static func binaryHits(_ predictions: GraphValue, _ targets: GraphValue) throws -> GraphValue {
        let targets = try TargetRule.probabilities.aligned(targets, with: predictions)
        let predicted = try predictions.binary(.greater, 0.5)
        return try predicted.binary(.equal, targets).hits()
    }

    private static func categoricalHits(_ predictions: GraphValue, _ targets: GraphValue) throws -> GraphValue {
        let targets = try TargetRule.probabilities.aligned(targets, with: predictions)
        return try predictions.indexOfLargest().binary(.equal, targets.indexOfLargest()).hits()
    }

    private static func sparseCategoricalHits(_ predictions: GraphValue, _ targets: GraphValue) throws -> GraphValue {
        let targets = try TargetRule.classNumbers.aligned(targets, with: predictions)
        return try predictions.indexOfLargest().binary(.equal, targets).hits()
    }
}

extension GraphValue {
    /// How many examples are right, where each element is 1 or 0: a row with several elements counts with their mean.
    fileprivate func hits() throws(GraftError) -> GraphValue { try meanPerExample().reduced(.sum) }

    /// The position of the largest element of the last axis, the first of several; removes the last axis.
    ///
    /// The operations have no `argmax`: `classes − position` where an element is the largest and 0 elsewhere is largest
    /// at the first of them.
    func indexOfLargest() throws(GraftError) -> GraphValue {
        let count = Float(shape.last)
        let isLargest = try binary(.greaterOrEqual, reduced(.maximum, axes: [-1], keepDimensions: true))
        let fromTheEnd = try count - positionsOfLastAxis()
        return try count - (isLargest * fromTheEnd).reduced(.maximum, axes: [-1])
    }
}
