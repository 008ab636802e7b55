#if canImport(CryptoKit)
    internal import CryptoKit
#endif

/// SHA-256 (FIPS 180-4): equal digests mean equal bytes.
package struct SHA256: HashFunction {
    #if canImport(CryptoKit)
        private var state = CryptoKit.SHA256()

        package init() {}

        package mutating func update(_ bytes: UnsafeRawBufferPointer) { state.update(bufferPointer: bytes) }

        package func finalize() -> [UInt8] { Array(state.finalize()) }
    #else
        private var state: OpenSSLDigest

        package init() {
            guard let algorithm = OpenSSLAlgorithm.sha256 else {
                preconditionFailure("libcrypto has no SHA-256: see `openssl list -digest-algorithms`")
            }
            state = OpenSSLDigest(algorithm)
        }

        package mutating func update(_ bytes: UnsafeRawBufferPointer) {
            if !isKnownUniquelyReferenced(&state) { state = OpenSSLDigest(copying: state) }
            state.update(bytes)
        }

        package func finalize() -> [UInt8] { OpenSSLDigest(copying: state).finalize() }
    #endif

    /// The 32 bytes of the digest of `bytes`.
    package static func hash(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finalize()
    }
}
