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
        var statistics = FeatureStatistics(width: features.shape.last)
        statistics.add(features)
        means = statistics.means.map { Float($0) }
        factors = statistics.variances(atLeast: 0.01).map { Float(1 / $0.squareRoot()) }
    }

    /// The features brought so.
    public func callAsFunction(_ features: Tensor) -> Tensor {
        let width = features.shape.last
        return features.withUnsafeBuffer { values in
            Tensor(values.indices.map { (values[$0] - means[$0 % width]) * factors[$0 % width] }, shape: features.shape)
        }
    }
}
