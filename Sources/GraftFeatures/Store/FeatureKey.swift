import GraftDigest

/// Names a feature row by what it was made from: 256 bits of SHA-256, so that equal names mean equal images.
struct FeatureKey: Hashable, Sendable {
    static let byteCount = 32
    let words: SIMD4<UInt64>

    /// The key of an image with this fingerprint.
    init(fingerprint: String) {
        self.init(bytes: SHA256.hash(fingerprint.utf8))
    }

    /// The key whose bytes these are.
    ///
    /// - Precondition: 32 bytes.
    init(bytes: some Collection<UInt8>) {
        precondition(bytes.count == Self.byteCount, "a key has \(Self.byteCount) bytes, not \(bytes.count)")
        var words = SIMD4<UInt64>()
        for (index, byte) in bytes.enumerated() { words[index / 8] |= UInt64(byte) << UInt64(8 * (index % 8)) }
        self.words = words
    }

    var bytes: [UInt8] {
        (0..<Self.byteCount).map { UInt8(truncatingIfNeeded: words[$0 / 8] >> UInt64(8 * ($0 % 8))) }
    }
}
