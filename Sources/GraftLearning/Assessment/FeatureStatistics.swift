import GraftGraph

/// Means and variances of features as examples come in (Welford's way, in double precision).
package struct FeatureStatistics {
    /// How many rows came in.
    package private(set) var count = 0
    package private(set) var means: [Double]
    private var squares: [Double]

    package init(width: Int) {
        means = [Double](repeating: 0, count: width)
        squares = means
    }

    /// Of all features; at least this share of the mean variance, so that one that hardly ever changes is not blown up.
    package func variances(atLeast share: Double) -> [Double] {
        let all = squares.map { $0 / Double(max(count, 1)) }
        let least = max(all.reduce(0, +) / Double(max(all.count, 1)) * share, 1e-12)
        return all.map { max($0, least) }
    }

    /// Adds the rows of a matrix.
    package mutating func add(_ rows: Tensor) {
        let width = means.count
        rows.withUnsafeBuffer { values in
            for row in 0..<rows.shape[0] {
                count += 1
                for column in 0..<width {
                    let value = Double(values[row * width + column])
                    let difference = value - means[column]
                    means[column] += difference / Double(count)
                    squares[column] += difference * (value - means[column])
                }
            }
        }
    }
}
