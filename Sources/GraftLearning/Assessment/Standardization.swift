import GraftGraph

/// Brings each feature to mean 0 and variance 1 over some examples; one that hardly varies there is blown up no more than ten times
/// as much as the others.
public struct Standardization: Sendable, Hashable {
    /// The mean of each feature.
    public let means: [Float]
    /// What each is multiplied with after that.
    public let factors: [Float]

    /// Learns from features, an example a row.
    public init(of features: Tensor) {
        let (rows, width) = (features.shape[0], features.shape.last)
        var (sums, squares) = ([Double](repeating: 0, count: width), [Double](repeating: 0, count: width))
        features.withUnsafeBuffer { values in
            for row in 0..<rows {
                for column in 0..<width {
                    let value = Double(values[row * width + column])
                    sums[column] += value
                    squares[column] += value * value
                }
            }
        }
        let count = Double(max(rows, 1))
        let variances = zip(sums, squares).map { max($1 / count - ($0 / count) * ($0 / count), 0) }
        // A feature that hardly changes over these examples would be blown up where it does.
        let least = variances.reduce(0, +) / Double(max(width, 1)) / 100
        means = sums.map { Float($0 / count) }
        factors = variances.map { $0 > 0 || least > 0 ? Float(1 / max($0, least).squareRoot()) : 0 }
    }

    /// The features brought so.
    public func callAsFunction(_ features: Tensor) -> Tensor {
        let width = features.shape.last
        return features.withUnsafeBuffer { values in
            Tensor(values.indices.map { (values[$0] - means[$0 % width]) * factors[$0 % width] }, shape: features.shape)
        }
    }
}
