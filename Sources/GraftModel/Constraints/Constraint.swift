/// What a variable is brought back to after each step of training.
///
///     Dense(256, activation: .relu, kernelConstraint: .maxNorm(3))
///
/// Norms are those of the vectors along `axes`: 0 for the weights of a ``Dense`` unit, `[0, 1, 2]` for those of a filter
/// of ``Conv2D``. ε is 1e-7.
///
/// Source: keras/src/constraints/constraints.py, version 3.15.
public struct Constraint: Hashable, Sendable {
    /// The formulas.
    package enum Kind: Hashable, Sendable {
        /// `w · clip(‖w‖, 0, limit) / (ε + ‖w‖)`
        case maxNorm(Double)
        /// `max(w, 0)`
        case nonNegative
        /// `w / (ε + ‖w‖)`
        case unitNorm
        /// `w · (rate · clip(‖w‖, min, max) + (1 − rate) · ‖w‖) / (ε + ‖w‖)`
        case minMaxNorm(Double, Double, rate: Double)
    }

    /// The formula.
    package let kind: Kind
    /// The axes that a norm goes over.
    package let axes: [Int]

    /// Vectors no longer than this.
    public static func maxNorm(_ maxValue: Double = 2, axes: [Int] = [0]) -> Constraint {
        Constraint(kind: .maxNorm(maxValue), axes: axes)
    }

    /// No number below 0.
    public static var nonNegative: Constraint { Constraint(kind: .nonNegative, axes: []) }

    /// Vectors of length 1.
    public static func unitNorm(axes: [Int] = [0]) -> Constraint { Constraint(kind: .unitNorm, axes: axes) }

    /// Vectors of a length between two numbers, brought there by the share `rate` of the way at each step.
    public static func minMaxNorm(
        _ minValue: Double = 0, _ maxValue: Double = 1, rate: Double = 1, axes: [Int] = [0]
    ) -> Constraint {
        Constraint(kind: .minMaxNorm(minValue, maxValue, rate: rate), axes: axes)
    }

    /// - Throws: ``GraftError`` with code `argument` where a number is out of range or the variable lacks an axis.
    func validate(_ argument: String, _ shape: Shape) throws(GraftError) {
        let numbers: [Double]
        switch kind {
        case .maxNorm(let limit): numbers = [limit]
        case .minMaxNorm(let lower, let upper, let rate): numbers = [lower, upper, rate, upper - lower]
        case .nonNegative, .unitNorm: numbers = []
        }
        guard numbers.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
            throw GraftError(
                .argument,
                "\(argument) has the numbers \(numbers); none may be negative, nor the largest below the least")
        }
        let own = Set(axes.map { $0 < 0 ? $0 + shape.rank : $0 })
        guard own.count == axes.count, own.allSatisfy(shape.dimensions.indices.contains) else {
            throw GraftError(.argument, "\(argument) has the axes \(axes), which the shape \(shape) does not have")
        }
    }
}
