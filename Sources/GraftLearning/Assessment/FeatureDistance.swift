import GraftGraph

/// How unlike the examples of training something is: the Mahalanobis distance of its features to the nearest class.
///
/// Features are standardized by those of training. The covariance around the classes' means is shared by all classes, with
/// ``rank`` directions of its own and one variance for all others (probabilistic principal components), a tenth of it shrunk
/// towards the mean variance. The distance is squared and divided by the number of features, so that it is about 1 for examples
/// like those of training.
///
/// Sources: Lee et al., "A simple unified framework for detecting out-of-distribution samples and adversarial attacks",
/// arXiv:1807.03888; Tipping and Bishop, "Probabilistic principal component analysis" (1999). `Benchmarks/UNKNOWN.md` compares it with
/// others.
public struct FeatureDistance: Sendable, Hashable {
    /// What features become before they are compared: less this …
    public let shift: [Float]
    /// … and times this.
    public let scale: [Float]
    /// The mean of each class that has examples.
    public let means: [[Float]]
    /// The directions with a variance of their own, each of length 1.
    public let directions: [[Float]]
    /// The inverse variances along them, and along all others.
    public let weights: (own: [Float], others: Float)
    /// Where the means are along the directions.
    private let centres: [[Float]]

    /// Directions with a variance of their own: 8 to 128 do alike.
    public static let rank = 16
    private static let shrinkage = 0.1

    /// From what ``shift`` and the others are; the sizes must fit.
    public init?(
        shift: [Float], scale: [Float], means: [[Float]], directions: [[Float]], weights: (own: [Float], others: Float)
    ) {
        let width = shift.count
        guard width > 0, scale.count == width, !means.isEmpty, means.allSatisfy({ $0.count == width }),
            directions.allSatisfy({ $0.count == width }), weights.own.count == directions.count
        else { return nil }
        (self.shift, self.scale, self.means, self.directions, self.weights) = (shift, scale, means, directions, weights)
        centres = means.map { mean in directions.map { Self.product($0, mean) } }
    }

    /// Learns from the features of training.
    ///
    /// - Parameters:
    ///   - features: an example a row.
    ///   - labels: the class of each.
    public init?(learningFrom features: Tensor, labels: [Int]) {
        let (rows, width) = (features.shape[0], features.shape.last)
        guard rows >= 2, labels.count == rows, width > 0 else { return nil }
        let standardization = Standardization(of: features)
        let standardized = standardization(features)
        let classes = Set(labels).sorted()
        var means: [[Float]] = []
        var residuals = standardized.withUnsafeBuffer { Array($0) }
        for label in classes {
            let members = labels.indices.filter { labels[$0] == label }
            var mean = [Float](repeating: 0, count: width)
            for row in members { for column in 0..<width { mean[column] += residuals[row * width + column] } }
            mean = mean.map { $0 / Float(members.count) }
            means.append(mean)
            for row in members { for column in 0..<width { residuals[row * width + column] -= mean[column] } }
        }
        let components = PrincipalComponents(
            of: Tensor(residuals, shape: [rows, width]), count: min(Self.rank, rows - 1, width), tolerance: 0.01)
        let mean = components.total / Double(rows * width)
        // What all directions have, so that none is taken for exact.
        let floor = max(Self.shrinkage * mean, 1e-6)
        func inverse(_ variance: Double) -> Float { Float(1 / ((1 - Self.shrinkage) * variance + floor)) }
        let left = components.total * max(1 - components.shares.reduce(0, +), 0) / Double(rows)
        self.init(
            shift: standardization.means, scale: standardization.factors, means: means,
            directions: components.directions.map { $0.map { Float($0) } },
            weights: (
                components.shares.map { inverse($0 * components.total / Double(rows)) },
                inverse(left / Double(max(width - components.shares.count, 1)))
            ))
    }

    /// How unlike training each of these is.
    ///
    /// - Parameter features: an example a row, as many numbers as in training.
    public func callAsFunction(_ features: Tensor) -> [Double] {
        let width = shift.count
        guard features.shape.last == width else { return [Double](repeating: .nan, count: features.shape[0]) }
        return features.withUnsafeBuffer { values in
            (0..<features.shape[0]).map { row in
                let own = (0..<width).map { (values[row * width + $0] - shift[$0]) * scale[$0] }
                let along = directions.map { Self.product($0, own) }
                let nearest = means.indices.map { distance(own, along, to: $0) }.min() ?? .nan
                return Double(nearest) / Double(width)
            }
        }
    }

    /// - Parameter along: where the values are along the directions, which is the same for all classes.
    private func distance(_ values: [Float], _ along: [Float], to number: Int) -> Float {
        let mean = means[number]
        var left: Float = 0
        for place in values.indices { left += (values[place] - mean[place]) * (values[place] - mean[place]) }
        var sum: Float = 0
        for (direction, weight) in weights.own.enumerated() {
            let difference = along[direction] - centres[number][direction]
            sum += weight * difference * difference
            left -= difference * difference
        }
        return sum + weights.others * max(left, 0)
    }

    private static func product(_ left: [Float], _ right: [Float]) -> Float {
        var sum: Float = 0
        for place in left.indices { sum += left[place] * right[place] }
        return sum
    }

    /// Whether all numbers are the same.
    public static func == (left: FeatureDistance, right: FeatureDistance) -> Bool {
        (left.shift, left.scale, left.means, left.directions) == (
            right.shift, right.scale, right.means, right.directions
        )
            && left.weights == right.weights
    }

    /// By what is subtracted and the means.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(shift)
        hasher.combine(means)
    }
}
