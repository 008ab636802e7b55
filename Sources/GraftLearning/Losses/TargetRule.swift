import GraftGraph

/// What a loss expects of its targets.
public enum TargetRule: Sendable, Hashable {
    /// One number for each predicted number.
    case likePredictions
    /// One number from 0 to 1 for each predicted number, each a yes or no of its own.
    case probabilities
    /// One number from 0 to 1 for each class, which together are one answer: one-hot rows.
    case distributions
    /// One class number, 0 to classes − 1, for each row of predictions.
    case classNumbers

    /// Whether a target says which one class an example is of, where the model has this many outputs.
    package func isOneClass(outputs: Int) -> Bool {
        switch self {
        case .likePredictions: false
        case .probabilities: outputs == 1
        case .distributions, .classNumbers: true
        }
    }

    /// The shape of targets, batch included, for predictions of this shape.
    package func shape(for predictions: Shape) -> Shape {
        switch self {
        case .likePredictions, .probabilities, .distributions: predictions
        case .classNumbers: Shape(predictions.dimensions.dropLast())
        }
    }

    /// The targets in the shape of this rule, where they differ from it by an axis of size 1 at the end.
    func aligned(_ targets: GraphValue, with predictions: GraphValue) throws(GraftError) -> GraphValue {
        let wanted = shape(for: predictions.shape)
        guard fits(targets.shape, predictions: predictions.shape) else {
            throw GraftError(
                .shape,
                "targets of shape \(targets.shape) do not fit predictions of shape \(predictions.shape); "
                    + "this loss expects targets of shape \(wanted)")
        }
        return try targets.reshaped(to: wanted)
    }

    /// Whether targets of this shape fit, allowing one axis of size 1 more or less at the end.
    package func fits(_ targets: Shape, predictions: Shape) -> Bool {
        let wanted = shape(for: predictions).dimensions
        return [wanted, wanted + [1], wanted.last == 1 ? Array(wanted.dropLast()) : wanted].contains(targets.dimensions)
    }
}
