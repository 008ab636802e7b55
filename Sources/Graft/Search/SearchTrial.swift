import Foundation
import GraftLearning

/// What a candidate came to on the folds that it was judged on: each image by a fit without the fold that it is in.
public struct SearchTrial: Sendable, Hashable {
    /// What was tried.
    public let candidate: SearchCandidate
    /// How many images of each fold were named right; `nil` for a fold that it was not judged on.
    public let right: [Int?]
    /// How many images each fold has.
    public let foldSizes: [Int]
    /// How long it took.
    public let seconds: Double

    /// What it came to.
    public init(_ candidate: SearchCandidate, right: [Int?], foldSizes: [Int], seconds: Double) {
        (self.candidate, self.right, self.foldSizes, self.seconds) = (candidate, right, foldSizes, seconds)
    }

    /// The same, judged on one more fold.
    func judged(fold: Int, right count: Int, seconds: Double) -> SearchTrial {
        var right = right
        right[fold] = count
        return SearchTrial(candidate, right: right, foldSizes: foldSizes, seconds: seconds)
    }

    /// Whether it was judged on every fold.
    public var isComplete: Bool { !right.contains(nil) }

    /// How many images it was judged on.
    public var imageCount: Int { zip(right, foldSizes).reduce(0) { $0 + ($1.0 == nil ? 0 : $1.1) } }

    /// How many of them were named right.
    public var rightCount: Int { right.reduce(0) { $0 + ($1 ?? 0) } }

    /// The share of images that were named right; of the best of many trials it promises more than is kept, see
    /// ``SearchResult/optimism``.
    public var accuracy: Double { imageCount > 0 ? Double(rightCount) / Double(imageCount) : 0 }

    /// Where the accuracy of such fits lies with a probability of 95 %, were the images drawn anew
    /// (``GraftLearning/Proportion/interval``). That it was chosen among many is not in it.
    public var interval: ClosedRange<Double> { Proportion(rightCount, of: imageCount).interval }
}

/// How a choice is made among trials, and what the choice itself is worth.
package enum SearchSelection {
    /// The best of those that were judged on every fold; of equal ones the first.
    package static func best(_ trials: [SearchTrial]) -> SearchTrial? {
        trials.filter(\.isComplete).reduce(nil as SearchTrial?) { best, trial in
            best.map { trial.rightCount > $0.rightCount ? trial : $0 } ?? trial
        }
    }

    /// The accuracy of choosing: for each fold the best by the other folds is judged on it. Below the accuracy of the best by
    /// what a choice among many gains by chance.
    ///
    /// - Returns: `nil` where nothing was judged on every fold.
    package static func accuracyOfChoosing(_ trials: [SearchTrial]) -> Double? {
        let complete = trials.filter(\.isComplete)
        guard let sizes = complete.first?.foldSizes, sizes.reduce(0, +) > 0 else { return nil }
        let right = sizes.indices.reduce(0) { sum, fold in
            let chosen = complete.reduce(nil as SearchTrial?) { best, trial in
                guard let best else { return trial }
                let isBetter = trial.rightCount - (trial.right[fold] ?? 0) > best.rightCount - (best.right[fold] ?? 0)
                return isBetter ? trial : best
            }
            return sum + (chosen?.right[fold] ?? 0)
        }
        return Double(right) / Double(sizes.reduce(0, +))
    }
}
