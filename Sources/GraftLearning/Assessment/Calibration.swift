import GraftSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Whether probabilities mean what they say: of answers given with 0.8, eight of ten should be right.
public struct Calibration: Sendable, Hashable {
    /// The answers whose confidence is in an interval.
    public struct Bin: Sendable, Hashable {
        /// Confidences above this …
        public let lower: Double
        /// … and at most this.
        public let upper: Double
        /// How many answers.
        public let count: Int
        /// Their mean confidence; 0 where there is none.
        public let confidence: Double
        /// The share that is right; 0 where there is none.
        public let accuracy: Double
    }

    /// Intervals of equal width from 0 to 1.
    public let bins: [Bin]
    /// How many answers there are.
    public let count: Int

    /// Sorts answers by the probability of the class that they name.
    ///
    /// - Parameters:
    ///   - probabilities: an example a row.
    ///   - labels: the right classes.
    ///   - binCount: how many intervals.
    public init(_ probabilities: ClassProbabilities, labels: [Int], binCount: Int = 15) {
        var sums = [(count: Int, confidence: Double, right: Int)](repeating: (0, 0, 0), count: max(binCount, 1))
        for row in 0..<min(probabilities.count, labels.count) {
            let confidence = probabilities.confidence(row)
            let place = (confidence * Double(sums.count)).rounded(.up) - 1
            let bin = place.isFinite ? min(max(Int(place), 0), sums.count - 1) : 0
            sums[bin].count += 1
            sums[bin].confidence += confidence
            sums[bin].right += probabilities.best(row) == labels[row] ? 1 : 0
        }
        count = sums.reduce(0) { $0 + $1.count }
        bins = sums.enumerated().map { number, sum in
            let share = Double(max(sum.count, 1))
            return Bin(
                lower: Double(number) / Double(sums.count), upper: Double(number + 1) / Double(sums.count),
                count: sum.count, confidence: sum.confidence / share, accuracy: Double(sum.right) / share)
        }
    }

    /// The expected calibration error: the mean over answers of the distance between confidence and accuracy of their
    /// interval, 0 to 1.
    ///
    /// Source: Guo et al., "On calibration of modern neural networks", arXiv:1706.04599.
    public var expectedError: Double {
        bins.reduce(0) { $0 + Double($1.count) * abs($1.confidence - $1.accuracy) } / Double(max(count, 1))
    }
}

/// What a classifier's probabilities are made less or more sure by: `softmax(log p / T)`.
///
/// The order of the classes stays. Source: Guo et al., arXiv:1706.04599.
public struct Temperature: Sendable, Hashable {
    /// Above 1 for a classifier that is surer than it should be.
    public let value: Double

    /// A temperature.
    public init(_ value: Double) { self.value = value }

    /// What is looked at.
    private static let range = (lower: 0.05, upper: 20.0)
    /// The least probability that a logarithm is taken of: the distance of 32-bit numbers around 1.
    private static let least = 1e-7

    /// The temperature with the least mean of −log of what the right class is given.
    ///
    /// - Parameters:
    ///   - probabilities: an example a row.
    ///   - labels: the right classes.
    public init(fitting probabilities: ClassProbabilities, labels: [Int]) {
        // Golden-section search: the mean has one minimum over 1 / T, as it is convex there, and so over log T.
        let ratio = (5.0.squareRoot() - 1) / 2
        var (low, high) = (log(Self.range.lower), log(Self.range.upper))
        func loss(_ place: Double) -> Double { Temperature(exp(place)).meanLoss(probabilities, labels: labels) }
        var (left, right) = (high - ratio * (high - low), low + ratio * (high - low))
        var (atLeft, atRight) = (loss(left), loss(right))
        for _ in 0..<60 where high - low > 1e-6 {
            if atLeft <= atRight {
                (high, right, atRight) = (right, left, atLeft)
                left = high - ratio * (high - low)
                atLeft = loss(left)
            } else {
                (low, left, atLeft) = (left, right, atRight)
                right = low + ratio * (high - low)
                atRight = loss(right)
            }
        }
        value = probabilities.count == 0 ? 1 : exp((low + high) / 2)
    }

    /// The mean of −log of what the right class is given.
    public func meanLoss(_ probabilities: ClassProbabilities, labels: [Int]) -> Double {
        let count = min(probabilities.count, labels.count)
        let sum = (0..<count).reduce(0.0) { sum, row in
            let scaled = Array(probabilities[row]).map { log(max($0, Self.least)) / value }
            let largest = scaled.max() ?? 0
            return sum + log(scaled.reduce(0) { $0 + exp($1 - largest) }) + largest - scaled[labels[row]]
        }
        return sum / Double(max(count, 1))
    }

    /// The probabilities at this temperature.
    public func callAsFunction(_ row: some Sequence<Double>) -> [Double] {
        let scaled = row.map { log(max($0, Self.least)) / value }
        let largest = scaled.max() ?? 0
        let powers = scaled.map { exp($0 - largest) }
        let sum = powers.reduce(0, +)
        return powers.map { $0 / sum }
    }

    /// The probabilities at this temperature.
    public func callAsFunction(_ probabilities: ClassProbabilities) -> ClassProbabilities {
        var result = ClassProbabilities(classCount: probabilities.classCount)
        for row in 0..<probabilities.count { result.append(outputs: self(probabilities[row])) }
        return result
    }
}
