import GraftGraph
import GraftModel

extension Constraint {
    /// Keras's `epsilon()`.
    private static let epsilon: Float = 1e-7

    /// What a step's new value of a variable is brought back to.
    func applied(to value: GraphValue) throws(GraftError) -> GraphValue {
        switch kind {
        case .nonNegative: return try value.binary(.maximum, 0)
        case .unitNorm: return try value / (Self.epsilon + norms(of: value))
        case .maxNorm(let limit):
            let norms = try norms(of: value)
            return try value * (norms.binary(.minimum, Float(limit)) / (Self.epsilon + norms))
        case .minMaxNorm(let lower, let upper, let rate):
            let norms = try norms(of: value)
            let clipped = try norms.clipped(Float(lower), Float(upper))
            let wanted = try rate == 1 ? clipped : Float(rate) * clipped + Float(1 - rate) * norms
            return try value * (wanted / (Self.epsilon + norms))
        }
    }

    private func norms(of value: GraphValue) throws(GraftError) -> GraphValue {
        try value.squared().reduced(.sum, axes: axes, keepDimensions: true).squareRoot()
    }
}

extension GraphValue {
    fileprivate static func + (left: Float, right: Self) throws(GraftError) -> Self { try right + left }
}
