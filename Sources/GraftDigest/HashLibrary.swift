#if !canImport(CryptoKit)
    internal import CLibCrypto
#endif

/// The library that computes hashes.
package enum HashLibrary {
    /// Its name and version, such as `OpenSSL 3.0.19`.
    package static var version: String {
        #if canImport(CryptoKit)
            "CryptoKit"
        #else
            let words = String(cString: OpenSSL_version(OPENSSL_VERSION)).split(separator: " ")
            return words.prefix(2).joined(separator: " ")
        #endif
    }

    /// The name of its file without extension; `nil` where it is part of the system.
    package static var fileName: String? {
        #if canImport(CryptoKit)
            nil
        #else
            "libcrypto"
        #endif
    }
}
