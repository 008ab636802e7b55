import GraftGraph

/// The classes that an example's nearest ones of other folds have: what features are worth with no training at all.
///
/// Nearest by the product of rows: of rows of one length, the smallest angle. Of classes with as many votes the one wins whose
/// nearest example is nearer; of examples equally near the first.
///
/// - Complexity: n² d / 2 multiplications.
package struct HeldOutNeighbours: Sendable {
    /// For each example those of other folds, the nearest first.
    private let nearest: [[Int]]

    /// Finds the neighbours.
    ///
    /// - Parameters:
    ///   - features: (count, width), rows of one length.
    ///   - folds: the fold of each example.
    ///   - most: how many neighbours are kept of each.
    /// - Throws: `GraftError` with code `shape` where the sizes do not fit.
    package init(features: [Float], width: Int, folds: [Int], most: Int) throws(GraftError) {
        let count = folds.count
        guard width > 0, most > 0, features.count == count * width else {
            throw GraftError(
                .shape, "\(features.count) features in rows of \(width) do not fit \(count) examples")
        }
        let products = DotProducts.gram(features.map(Double.init), count: count, width: width)
        nearest = ParallelRows.map(count: count) { example in
            func product(_ other: Int) -> Double {
                products[max(example, other) * count + min(example, other)]
            }
            var kept: [Int] = []
            for other in 0..<count where folds[other] != folds[example] {
                if kept.count == most, let last = kept.last, product(last) >= product(other) { continue }
                let place = kept.firstIndex { product($0) < product(other) } ?? kept.count
                kept.insert(other, at: place)
                if kept.count > most { kept.removeLast() }
            }
            return kept
        }
    }

    /// The class that most of the nearest have, for each example; `nil` where it has none.
    package func classes(_ labels: [Int], neighbours: Int) -> [Int?] {
        nearest.map { others in
            let votes = others.prefix(neighbours).map { labels[$0] }
            var counts: [Int: Int] = [:]
            for vote in votes { counts[vote, default: 0] += 1 }
            let most = counts.values.max() ?? 0
            return votes.first { counts[$0] == most }
        }
    }
}
