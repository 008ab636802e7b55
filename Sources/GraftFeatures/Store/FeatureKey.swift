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

/// A 64-bit checksum that notices damage (it does not defend against forgery): eight lanes of multiply and shift,
/// so that checking a row costs less than reading it.
enum Checksum {
    static func value(of bytes: UnsafeRawBufferPointer) -> UInt64 {
        let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15
        var lanes = SIMD8<UInt64>(1, 2, 3, 4, 5, 6, 7, 8) &* multiplier
        let blockCount = bytes.count / 64
        for block in 0..<blockCount {
            lanes = (lanes ^ bytes.loadUnaligned(fromByteOffset: block * 64, as: SIMD8<UInt64>.self)) &* multiplier
            lanes ^= lanes &>> 29
        }
        var result = UInt64(bytes.count)
        for lane in 0..<8 { result = (result ^ lanes[lane]) &* multiplier }
        for byte in bytes[(blockCount * 64)...] { result = (result ^ UInt64(byte)) &* multiplier }
        return result ^ (result &>> 32)
    }
}
