import Foundation
import GraftGraph
import GraftImages
import GraftLearning
import GraftModel
import GraftTraining

/// What a classifier needs to say how sure it is, and that something is unlike all that it was trained on; saved with the model.
///
/// It is made of images that the model did not learn from, and of what the network knows of those that it did.
public struct ClassifierCalibration: Sendable, Hashable {
    /// What makes the probabilities mean what they say.
    public let temperature: Temperature
    /// An answer whose probability after calibration is at least this is called sure: answers at least so sure were right in 95 of
    /// 100 images that the model had not learned from, and none below ``leastSure`` is.
    public let sureFrom: Double
    /// Gives sets of classes that hold the right one at a rate that is chosen.
    public let sets: ConformalSets
    /// How unlike the images of training an image is; `nil` where that cannot be told.
    public let distance: FeatureDistance?
    /// Beyond this an image is called unlike training: 95 of 100 images that the model had not learned from are nearer.
    public let farthest: Double

    /// By calibration, one in four of such answers is wrong.
    static let leastSure = 0.75
    private static let (sureRate, nearRate) = (0.95, 0.95)
    /// More scores say no more.
    private static let scoreCount = 200

    init(
        temperature: Temperature, sureFrom: Double, sets: ConformalSets, distance: FeatureDistance?, farthest: Double
    ) {
        (self.temperature, self.sureFrom, self.sets) = (temperature, sureFrom, sets)
        (self.distance, self.farthest) = (distance, farthest)
    }

    /// The fewest images that anything is learned from.
    public static let leastCount = 20

    /// Calibrates a model.
    ///
    /// - Parameters:
    ///   - probabilities: what the model gave images that it did not learn from.
    ///   - labels: the right classes.
    ///   - features: what it knows of them, an image a row.
    ///   - known: the same of images that it learned from, with their labels.
    /// - Returns: `nil` for fewer than ``leastCount`` images.
    init?(
        _ probabilities: ClassProbabilities, labels: [Int], features: Tensor, known: (features: Tensor, labels: [Int])
    ) {
        guard labels.count >= Self.leastCount else { return nil }
        temperature = Temperature(fitting: probabilities, labels: labels)
        let calibrated = temperature(probabilities)
        sureFrom = Self.threshold(calibrated, labels)
        let scores = ConformalSets(probabilities, labels: labels).scores
        sets = ConformalSets(scores: Self.spread(scores))
        distance = FeatureDistance(learningFrom: known.features, labels: known.labels)
        let distances = (distance?(features) ?? []).sorted()
        let rank = Int((Self.nearRate * Double(distances.count)).rounded(.up)) - 1
        farthest = distances.indices.contains(rank) ? distances[rank] : .infinity
    }

    /// The least confidence from which on answers are right often enough.
    private static func threshold(_ calibrated: ClassProbabilities, _ labels: [Int]) -> Double {
        let sorted = labels.indices.sorted { calibrated.confidence($0) > calibrated.confidence($1) }
        var (right, threshold) = (0, 1.0)
        for (position, row) in sorted.enumerated() {
            right += calibrated.best(row) == labels[row] ? 1 : 0
            if Double(right) >= sureRate * Double(position + 1) { threshold = calibrated.confidence(row) }
        }
        return max(threshold, leastSure)
    }

    /// So many of rising numbers that shares below them stay about what they were.
    private static func spread(_ values: [Double]) -> [Double] {
        guard values.count > scoreCount else { return values }
        return (0..<scoreCount).map { values[($0 * 2 + 1) * values.count / (2 * scoreCount)] }
    }

    /// What is said of an answer.
    ///
    /// - Parameters:
    ///   - outputs: what the model gave each class.
    ///   - features: what it knows of the image: one row.
    func assess(_ outputs: [Double], features: Tensor) -> Classification.Assessment {
        var probabilities = ClassProbabilities(classCount: max(outputs.count, 2))
        probabilities.append(outputs: outputs)
        let confidence = temperature(probabilities).confidence(0)
        let far = distance?(features).first
        return Classification.Assessment(
            confidence: confidence, isSure: confidence >= sureFrom, distance: far,
            isKnown: far.map { $0.isFinite && $0 <= farthest } ?? true)
    }
}

extension Classification {
    /// How sure an answer is.
    public struct Assessment: Sendable, Hashable {
        /// The probability of the likeliest class after calibration.
        public let confidence: Double
        /// Whether it is as sure as answers that are right in 95 of 100 cases.
        public let isSure: Bool
        /// How unlike training the image is, about 1 for one that is like it; `nil` where that cannot be told.
        public let distance: Double?
        /// Whether it is no more unlike training than 95 of 100 images of its kind.
        public let isKnown: Bool
    }
}
