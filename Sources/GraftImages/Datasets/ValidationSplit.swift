import GraftDigest
import GraftGraph

/// Which images of a class are set aside for validation.
///
/// Every image has a rank: SHA-256 of the seed and its path below the images folder. Of a class with `n` images those
/// with the `round(fraction · n)` lowest ranks are set aside, but at least one, and not all. So
///
/// - each class gives the same share, exact to the image (a threshold on the rank alone would keep every image on its
///   side for ever, but gives shares that scatter: 3 or 10 of 30 where 6 were asked for);
/// - the sides depend on names and seed, not on the order, the machine or the number of other images: an image that is
///   added or removed moves at most one other across, the one next to the border;
/// - another seed gives another split.
struct ValidationSplit {
    let fraction: Double
    let seed: UInt64

    /// - Throws: `GraftError` with code `argument` for a fraction outside 0…1.
    init(fraction: Double, seed: UInt64) throws(GraftError) {
        guard fraction > 0, fraction < 1 else {
            throw GraftError(
                .argument, "the validation split must lie between 0 and 1, such as 0.2 for a fifth; it is \(fraction)")
        }
        self.fraction = fraction
        self.seed = seed
    }

    /// For each path whether it is set aside.
    func isValidation(_ paths: [String]) -> [Bool] {
        var isValidation = [Bool](repeating: false, count: paths.count)
        let ranked = paths.indices.map { (rank: rank(of: paths[$0]), index: $0) }.sorted { $0 < $1 }
        for entry in ranked.prefix(validationCount(of: paths.count)) { isValidation[entry.index] = true }
        return isValidation
    }

    private func validationCount(of count: Int) -> Int {
        guard count > 1 else { return 0 }
        return min(max(Int((fraction * Double(count)).rounded()), 1), count - 1)
    }

    /// The first 64 bits of the hash.
    private func rank(of path: String) -> UInt64 {
        SHA256.hash("\(seed)\n\(path)".utf8).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
