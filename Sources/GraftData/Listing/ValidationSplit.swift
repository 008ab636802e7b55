import GraftGraph

/// Which examples of a class are set aside for validation.
///
/// Every example has a rank: a hash of the seed and its name. Of a class with `n` examples those
/// with the `round(fraction · n)` lowest ranks are set aside, but at least one, and not all. So
///
/// - each class gives the same share, exact to the example (a threshold on the rank alone would keep each on its
///   side for ever, but gives shares that scatter: 3 or 10 of 30 where 6 were asked for);
/// - the sides depend on names and seed, not on the order, the machine or the number of other examples: one that is
///   added or removed moves at most one other across, the one next to the border;
/// - another seed gives another split.
package struct ValidationSplit: Sendable {
    package let fraction: Double
    package let seed: UInt64
    /// The rank of the seed and a name, by a hash of a room that has one.
    private let rank: @Sendable (String) -> UInt64

    /// - Throws: `GraftError` with code `argument` for a fraction outside 0…1.
    package init(
        fraction: Double, seed: UInt64, rank: @escaping @Sendable (String) -> UInt64
    ) throws(GraftError) {
        guard fraction > 0, fraction < 1 else {
            throw GraftError(
                .argument, "the validation split must lie between 0 and 1, such as 0.2 for a fifth; it is \(fraction)")
        }
        (self.fraction, self.seed, self.rank) = (fraction, seed, rank)
    }

    /// For each name whether it is set aside.
    package func isValidation(_ names: [String]) -> [Bool] {
        var isValidation = [Bool](repeating: false, count: names.count)
        let ranked = names.indices.map { (rank: rank("\(seed)\n\(names[$0])"), index: $0) }.sorted { $0 < $1 }
        for entry in ranked.prefix(validationCount(of: names.count)) { isValidation[entry.index] = true }
        return isValidation
    }

    private func validationCount(of count: Int) -> Int {
        guard count > 1 else { return 0 }
        return min(max(Int((fraction * Double(count)).rounded()), 1), count - 1)
    }
}
