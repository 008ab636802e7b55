/// Examples whose labels are probably wrong, by confident learning.
///
/// The probabilities must come from a model that has not seen the example (out of fold). A class is confident of an example where
/// it gives it at least what it gives its own examples in the mean; an example that is confidently of another class than its
/// label's is suspected. The order is by margin: what the label's class is given less the most that another one is, weighed by how
/// much the classes are given on average.
///
/// Source: Northcutt, Jiang and Chuang, "Confident learning: estimating uncertainty in dataset labels", arXiv:1911.00068.
public struct LabelSuspects: Sendable {
    /// What is to be said of an example's label.
    public struct Suspect: Sendable, Hashable {
        /// Its row.
        public let row: Int
        /// What it is labelled.
        public let label: Int
        /// What it probably is; of a label that is not suspected, what else it would be.
        public let suggestion: Int
        /// What the label's class was given.
        public let given: Double
        /// What the other class was given.
        public let suggested: Double
        /// Whether the label is probably wrong.
        public let isSuspected: Bool
    }

    /// All examples, the least plausible label first.
    public let ranking: [Suspect]
    /// The suspected ones, the worst first.
    public var suspects: [Suspect] { ranking.filter(\.isSuspected) }

    /// Looks at probabilities out of fold.
    ///
    /// - Parameters:
    ///   - probabilities: an example a row.
    ///   - labels: the labels that are doubted.
    public init(_ probabilities: ClassProbabilities, labels: [Int]) {
        let count = min(probabilities.count, labels.count)
        var (sums, counts) = (
            [Double](repeating: 0, count: probabilities.classCount),
            [Int](repeating: 0, count: probabilities.classCount)
        )
        for row in 0..<count {
            sums[labels[row]] += probabilities[row, labels[row]]
            counts[labels[row]] += 1
        }
        // A class without examples is confident of nothing.
        let thresholds = zip(sums, counts).map { $1 == 0 ? Double.infinity : $0 / Double($1) }
        var ranked: [(margin: Double, suspect: Suspect)] = []
        for row in 0..<count {
            let label = labels[row]
            let others = (0..<probabilities.classCount).filter { $0 != label }
            let best = others.max { probabilities[row, $0] < probabilities[row, $1] } ?? label
            let confident = (0..<probabilities.classCount).filter { probabilities[row, $0] >= thresholds[$0] }
            let surest = confident.max { probabilities[row, $0] < probabilities[row, $1] } ?? label
            let suggestion = surest == label ? best : surest
            let given = probabilities[row, label]
            ranked.append(
                (
                    given - probabilities[row, best],
                    Suspect(
                        row: row, label: label, suggestion: suggestion, given: given,
                        suggested: probabilities[row, suggestion], isSuspected: surest != label)
                ))
        }
        ranking = ranked.sorted { ($0.margin, $0.suspect.row) < ($1.margin, $1.suspect.row) }.map(\.suspect)
    }
}
