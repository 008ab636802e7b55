/// Examples whose labels are probably wrong, by confident learning.
///
/// The probabilities must come from a model that has not seen the example (out of fold). A class is confident of an example where
/// it gives it at least what it gives its own examples in the mean; an example that is confidently of another class than its
/// label's is suspected. The order is by margin: what the label's class is given less the most that another one is, weighed by how
/// much the classes are given on average.
///
/// Source: Northcutt, Jiang and Chuang, "Confident learning: estimating uncertainty in dataset labels", arXiv:1911.00068.
public struct LabelSuspects: Sendable {
    /// An example whose label is probably wrong.
    public struct Suspect: Sendable, Hashable {
        /// Its row.
        public let row: Int
        /// What it is labelled.
        public let label: Int
        /// What it probably is.
        public let suggestion: Int
        /// What the label's class was given.
        public let given: Double
        /// What the other class was given.
        public let suggested: Double
    }

    /// The suspected examples, the worst first.
    public let suspects: [Suspect]
    /// All examples, the least plausible label first.
    public let ranking: [Int]

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
        var margins: [Double] = []
        var found: [Suspect] = []
        for row in 0..<count {
            let label = labels[row]
            let others = (0..<probabilities.classCount).filter { $0 != label }
            let best = others.max { probabilities[row, $0] < probabilities[row, $1] } ?? label
            margins.append(probabilities[row, label] - probabilities[row, best])
            let confident = (0..<probabilities.classCount).filter { probabilities[row, $0] >= thresholds[$0] }
            guard let surest = confident.max(by: { probabilities[row, $0] < probabilities[row, $1] }), surest != label
            else { continue }
            found.append(
                Suspect(
                    row: row, label: label, suggestion: surest, given: probabilities[row, label],
                    suggested: probabilities[row, surest]))
        }
        ranking = (0..<count).sorted { (margins[$0], $0) < (margins[$1], $1) }
        suspects = found.sorted { (margins[$0.row], $0.row) < (margins[$1.row], $1.row) }
    }
}
