import GraftData
import GraftDigest

extension ValidationSplit {
    /// Ranks by SHA-256.
    ///
    /// - Throws: `GraftError` with code `argument` for a fraction outside 0…1.
    init(fraction: Double, seed: UInt64) throws(GraftError) {
        try self.init(fraction: fraction, seed: seed) { name in
            SHA256.hash(name.utf8).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        }
    }
}
