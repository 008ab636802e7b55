/// Sets of classes that hold the right one at a rate that is chosen, whatever the model: split conformal prediction.
///
/// The score of an example is 1 less what the right class was given. A set holds the classes whose score is at most the
/// `⌈(n + 1) · coverage⌉`-th smallest of n examples that the model did not learn from.
///
/// Source: Vovk, Gammerman and Shafer, "Algorithmic learning in a random world" (2005); Sadinle, Lei and Wasserman, "Least ambiguous
/// set-valued classifiers with bounded error levels", arXiv:1609.00451.
public struct ConformalSets: Sendable, Hashable {
    /// The scores of the examples, rising.
    public let scores: [Double]

    /// From scores that were kept.
    public init(scores: [Double]) { self.scores = scores.sorted() }

    /// From examples that the model did not learn from.
    public init(_ probabilities: ClassProbabilities, labels: [Int]) {
        self.init(scores: labels.indices.map { 1 - probabilities[$0, labels[$0]] })
    }

    /// The largest score of a class in a set; above 1, so that every class is in it, where there are too few examples for the
    /// coverage.
    public func threshold(coverage: Double) -> Double {
        let rank = Int((Double(scores.count + 1) * coverage).rounded(.up))
        return rank >= 1 && rank <= scores.count ? scores[rank - 1] : (rank < 1 ? -1 : 2)
    }

    /// The classes of a set, the likeliest first.
    public func classes(of probabilities: some Collection<Double>, coverage: Double) -> [Int] {
        let threshold = threshold(coverage: coverage)
        let members = probabilities.enumerated().filter { 1 - $0.element <= threshold }
        return members.sorted { ($1.element, $0.offset) < ($0.element, $1.offset) }.map(\.offset)
    }
}
