#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How the error falls with the number of examples: `error = a + b · n^−c`, fitted to what was measured.
///
/// Source: Hestness et al., "Deep learning scaling is predictable, empirically", arXiv:1712.00409.
public struct SampleSizeCurve: Sendable, Hashable {
    /// What was measured with so many examples.
    public struct Point: Sendable, Hashable {
        /// How many examples.
        public let count: Int
        /// The share of wrong answers.
        public let error: Double

        /// A measurement.
        public init(count: Int, error: Double) { (self.count, self.error) = (count, error) }
    }

    /// What was measured, by rising numbers.
    public let points: [Point]
    /// The error that no number of examples goes below, by the fit.
    public let floor: Double
    private let factor: Double
    private let exponent: Double

    /// Fits the curve by least squares over exponents from 0.05 to 2; `nil` for fewer than three numbers of examples.
    public init?(fitting points: [Point]) {
        guard Set(points.map(\.count)).count >= 3, points.allSatisfy({ $0.count > 0 }) else { return nil }
        var best: (loss: Double, floor: Double, factor: Double, exponent: Double)?
        for step in 1...40 {
            let exponent = 0.05 * Double(step)
            let fit = Self.line(points.map { (pow(Double($0.count), -exponent), $0.error) })
            if fit.loss < best?.loss ?? .infinity { best = (fit.loss, fit.floor, fit.factor, exponent) }
        }
        guard let best else { return nil }
        self.points = points.sorted { $0.count < $1.count }
        (floor, factor, exponent) = (best.floor, best.factor, best.exponent)
    }

    /// The error to expect of so many examples.
    public func error(count: Int) -> Double { min(max(floor + factor * pow(Double(max(count, 1)), -exponent), 0), 1) }

    /// The line through points with a constant and a slope that are not negative.
    private static func line(_ points: [(x: Double, y: Double)]) -> (loss: Double, floor: Double, factor: Double) {
        let n = Double(points.count)
        let (sx, sy) = (points.reduce(0) { $0 + $1.x }, points.reduce(0) { $0 + $1.y })
        let (sxx, sxy) = (points.reduce(0) { $0 + $1.x * $1.x }, points.reduce(0) { $0 + $1.x * $1.y })
        func loss(_ floor: Double, _ factor: Double) -> Double {
            points.reduce(0) { $0 + ($1.y - floor - factor * $1.x) * ($1.y - floor - factor * $1.x) }
        }
        let determinant = n * sxx - sx * sx
        let slope = determinant > 1e-30 ? (n * sxy - sx * sy) / determinant : 0
        let floor = (sy - slope * sx) / n
        // Where one of both would be negative, the best is at the border.
        let candidates = [(floor, slope), (0, sxx > 0 ? max(sxy / sxx, 0) : 0), (max(sy / n, 0), 0)]
        let allowed = candidates.filter { $0.0 >= 0 && $0.1 >= 0 }
        let best = allowed.min { loss($0.0, $0.1) < loss($1.0, $1.1) } ?? (0, 0)
        return (loss(best.0, best.1), best.0, best.1)
    }
}
