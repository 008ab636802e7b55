import GraftGraph

extension Metric {
    /// The share of right ones among those predicted to be positive: `true positives / (true + false positives)`.
    ///
    /// An output is predicted positive where it is above the threshold, or among the k largest of its row. Targets are 0
    /// or 1 for each output; class numbers become one-hot rows.
    ///
    /// - Parameters:
    ///   - threshold: 0.5 by default; with `topK`, none.
    ///   - topK: how many of a row's outputs are looked at; of equal ones the first.
    ///   - classID: the class that counts, all of them where `nil`.
    ///   - name: its key in the history.
    ///
    /// Source: keras/src/metrics/confusion_metrics.py, version 3.15.
    public static func precision(
        threshold: Float? = nil, topK: Int? = nil, classID: Int? = nil, name: String = "precision"
    ) -> Metric {
        let rule = PositiveRule(threshold: threshold, topK: topK, classID: classID)
        return Metric(name, direction: .up) { predictions, targets in
            try rule.counts(predictions, targets) { try [$0 * $1, $0 * (1 - $1)] }
        } result: { total, _ in
            share(total[0], of: total[0] + total[1])
        }
    }

    /// ``precision(threshold:topK:classID:name:)`` at 0.5.
    public static var precision: Metric { precision() }

    /// The share of positive ones that are predicted to be positive: `true positives / (true positives + false
    /// negatives)`. Arguments as for ``precision(threshold:topK:classID:name:)``.
    ///
    /// Source: keras/src/metrics/confusion_metrics.py, version 3.15.
    public static func recall(
        threshold: Float? = nil, topK: Int? = nil, classID: Int? = nil, name: String = "recall"
    ) -> Metric {
        let rule = PositiveRule(threshold: threshold, topK: topK, classID: classID)
        return Metric(name, direction: .up) { predictions, targets in
            try rule.counts(predictions, targets) { try [$0 * $1, (1 - $0) * $1] }
        } result: { total, _ in
            share(total[0], of: total[0] + total[1])
        }
    }

    /// ``recall(threshold:topK:classID:name:)`` at 0.5.
    public static var recall: Metric { recall() }

    /// The quotient, 0 where there is nothing to divide by.
    static func share(_ part: Double, of whole: Double) -> Double { whole == 0 ? 0 : part / whole }
}

/// Which outputs count as predicted positive.
private struct PositiveRule: Sendable {
    let threshold: Float?
    let topK: Int?
    let classID: Int?

    /// Sums, over all outputs of a batch, of products of what is predicted and what is true, each 1 or 0.
    ///
    /// - Returns: shape [products].
    func counts(
        _ predictions: GraphValue, _ targets: GraphValue,
        _ products: (_ predicted: GraphValue, _ isTrue: GraphValue) throws -> [GraphValue]
    ) throws -> GraphValue {
        var (predicted, targets) = (try positive(predictions), try targets.perOutput(of: predictions))
        if let classID {
            guard (0..<predictions.shape.last).contains(classID) else {
                throw GraftError(
                    .argument,
                    "the metric counts class \(classID); the model has \(predictions.shape.last) outputs, from 0")
            }
            predicted = try predicted.column(classID)
            targets = try targets.column(classID)
        }
        return try GraphValue.joined(products(predicted, targets).map { try $0.reduced(.sum) })
    }

    private func positive(_ predictions: GraphValue) throws -> GraphValue {
        guard let topK else { return try predictions.binary(.greater, threshold ?? 0.5) }
        let isAmong = try predictions.isAmongLargest(topK)
        return try threshold.map { try isAmong * predictions.binary(.greater, $0) } ?? isAmong
    }
}

extension GraphValue {
    /// These targets with one number, 1 or 0, for each predicted number.
    func perOutput(of predictions: GraphValue) throws -> GraphValue {
        let rule = TargetRule.probabilities
        let areNumbers = !rule.fits(shape, predictions: predictions.shape)
        guard areNumbers else {
            let targets = try rule.aligned(self, with: predictions)
            return try 1 - targets.binary(.equal, 0)
        }
        return try TargetRule.classNumbers.aligned(self, with: predictions).oneHot(classes: predictions)
    }

    /// One element of the last axis, which stays with size 1.
    fileprivate func column(_ index: Int) throws(GraftError) -> GraphValue {
        var (start, size) = ([Int](repeating: 0, count: shape.rank), shape)
        start[shape.rank - 1] = index
        size[shape.rank - 1] = 1
        return scope[try scope.graph.slice(id, start: start, shape: size)]
    }

    /// Scalars as one vector.
    static func joined(_ scalars: [GraphValue]) throws -> GraphValue {
        guard let first = scalars.first else { throw GraftError(.argument, "there is nothing to count") }
        let parts = try scalars.map { try $0.reshaped(to: [1]).id }
        return first.scope[try first.scope.graph.concatenate(parts, axis: 0)]
    }

    /// 1 for the k largest elements of the last axis, of equal ones the first, 0 for the others.
    ///
    /// Compares each element with each other one: classes² numbers an example.
    fileprivate func isAmongLargest(_ k: Int) throws(GraftError) -> GraphValue {
        let column = try reshaped(to: Shape(shape.dimensions + [1]))
        let row = try reshaped(to: Shape(shape.dimensions.dropLast() + [1, shape.last]))
        let positions = try positionsOfLastAxis()
        let isBefore = try positions.reshaped(to: [shape.last, 1]).binary(.greater, positions)
        let isAhead = try row.binary(.greater, column) + row.binary(.equal, column) * isBefore
        let rank = try isAhead.reduced(.sum, axes: [-1])
        return try rank.scalar(Float(k)).binary(.greater, rank)
    }
}
