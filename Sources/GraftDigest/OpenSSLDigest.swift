#if !canImport(CryptoKit)
    internal import CLibCrypto

    /// One of libcrypto's hash algorithms, looked up once for the life of the process.
    ///
    /// Sendable because libcrypto never changes an algorithm that it handed out.
    struct OpenSSLAlgorithm: @unchecked Sendable {
        fileprivate let handle: OpaquePointer

        static let sha256 = OpenSSLAlgorithm("SHA2-256")
        /// No use of it is for security, so it is looked for among the algorithms outside FIPS too.
        static let md5 = OpenSSLAlgorithm("MD5", properties: "-fips")

        private init?(_ name: String, properties: String? = nil) {
            guard let handle = EVP_MD_fetch(nil, name, properties) else { return nil }
            self.handle = handle
        }
    }

    /// Owns one EVP_MD_CTX: a hash that has taken some bytes.
    final class OpenSSLDigest {
        private let context: OpaquePointer

        init(_ algorithm: OpenSSLAlgorithm) {
            context = Self.emptyContext()
            Self.check(EVP_DigestInit_ex(context, algorithm.handle, nil), "EVP_DigestInit_ex")
        }

        /// A second hash that has taken the same bytes.
        init(copying other: OpenSSLDigest) {
            context = Self.emptyContext()
            Self.check(EVP_MD_CTX_copy_ex(context, other.context), "EVP_MD_CTX_copy_ex")
        }

        deinit { EVP_MD_CTX_free(context) }

        func update(_ bytes: UnsafeRawBufferPointer) {
            Self.check(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count), "EVP_DigestUpdate")
        }

        /// The digest; the last thing that is asked of a context.
        func finalize() -> [UInt8] {
            [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
                var written: UInt32 = 0
                Self.check(EVP_DigestFinal_ex(context, buffer.baseAddress, &written), "EVP_DigestFinal_ex")
                count = Int(written)
            }
        }

        private static func emptyContext() -> OpaquePointer {
            guard let context = EVP_MD_CTX_new() else { preconditionFailure("EVP_MD_CTX_new: no memory") }
            return context
        }

        /// Contexts are created and used by this class alone, so a failure means that memory ran out.
        private static func check(_ status: Int32, _ function: String) {
            precondition(status == 1, "\(function) failed: no memory")
        }
    }
#endif
