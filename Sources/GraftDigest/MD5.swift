#if canImport(CryptoKit)
    internal import CryptoKit
#endif

/// MD5 (RFC 1321): tells damage, not forgery. Keras publishes it for its files.
package struct MD5: HashFunction {
    #if canImport(CryptoKit)
        private var state = Insecure.MD5()

        package init?() {}

        package mutating func update(_ bytes: UnsafeRawBufferPointer) { state.update(bufferPointer: bytes) }

        package func finalize() -> [UInt8] { Array(state.finalize()) }
    #else
        private var state: OpenSSLDigest

        /// `nil` where the system's configuration of OpenSSL leaves MD5 out.
        package init?() {
            guard let algorithm = OpenSSLAlgorithm.md5 else { return nil }
            state = OpenSSLDigest(algorithm)
        }

        package mutating func update(_ bytes: UnsafeRawBufferPointer) {
            if !isKnownUniquelyReferenced(&state) { state = OpenSSLDigest(copying: state) }
            state.update(bytes)
        }

        package func finalize() -> [UInt8] { OpenSSLDigest(copying: state).finalize() }
    #endif
}
