#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How well one number tells two groups apart.
public struct RankStatistics: Sendable, Hashable {
    /// The area under the receiver operating characteristic: the chance that a number of the first group is larger than one
    /// of the second, equal ones counted half. 0.5 where the numbers tell nothing.
    public let areaUnderCurve: Double
    /// The Mann–Whitney statistic in standard deviations of what chance gives, by the normal approximation without a
    /// correction for ties (which would make it larger).
    public let deviations: Double

    /// The chance of a statistic at least so far from what chance gives on either side, where the groups do not differ.
    public var probability: Double { erfc(abs(deviations) / 2.0.squareRoot()) }

    /// Compares two groups; neither may be empty, else nothing is told.
    public init(_ first: [Double], _ second: [Double]) {
        guard !first.isEmpty, !second.isEmpty else {
            (areaUnderCurve, deviations) = (0.5, 0)
            return
        }
        let all = (first.map { ($0, true) } + second.map { ($0, false) }).sorted { $0.0 < $1.0 }
        var (rankSum, start) = (0.0, 0)
        while start < all.count {
            var end = start
            var firsts = 0
            while end < all.count, all[end].0 == all[start].0 {
                firsts += all[end].1 ? 1 : 0
                end += 1
            }
            // Equal numbers share the mean of their ranks.
            rankSum += Double(firsts) * Double(start + end + 1) / 2
            start = end
        }
        let (m, n) = (Double(first.count), Double(second.count))
        areaUnderCurve = (rankSum - m * (m + 1) / 2) / (m * n)
        deviations = (areaUnderCurve - 0.5) / ((m + n + 1) / (12 * m * n)).squareRoot()
    }

    /// The share of the second group that is taken for the first where a threshold lets so much of the first through.
    public static func falsePositiveRate(atRecall recall: Double, _ first: [Double], _ second: [Double]) -> Double {
        let sorted = first.sorted(by: >)
        guard !sorted.isEmpty, !second.isEmpty else { return 1 }
        let threshold = sorted[min(max(Int((recall * Double(sorted.count)).rounded(.up)) - 1, 0), sorted.count - 1)]
        return Double(second.count { $0 >= threshold }) / Double(second.count)
    }
}

/// A share of examples, with the interval that holds the true one in 95 of 100 cases.
public struct Proportion: Sendable, Hashable {
    /// How many there are of what is counted.
    public let successes: Int
    /// Of how many.
    public let count: Int

    /// So many of so many.
    public init(_ successes: Int, of count: Int) { (self.successes, self.count) = (successes, count) }

    /// The share; 0 where there is none.
    public var value: Double { count == 0 ? 0 : Double(successes) / Double(count) }

    /// Wilson's score interval at 95 %.
    ///
    /// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    public var interval: ClosedRange<Double> {
        guard count > 0 else { return 0...1 }
        let (n, z) = (Double(count), 1.959964)
        let middle = (value + z * z / (2 * n)) / (1 + z * z / n)
        let half = z / (1 + z * z / n) * (value * (1 - value) / n + z * z / (4 * n * n)).squareRoot()
        return max(middle - half, 0)...min(middle + half, 1)
    }
}
