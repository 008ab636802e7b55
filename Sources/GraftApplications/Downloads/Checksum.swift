import Foundation
import GraftDigest

/// What a file's bytes must add up to, as the people who publish it state it.
public enum Checksum: Hashable, Sendable, CustomStringConvertible {
    /// MD5 in 32 lower-case hexadecimal digits: a guard against damage, not against malice.
    case md5(String)
    /// SHA-256 in 64 lower-case hexadecimal digits.
    case sha256(String)

    /// The digits.
    public var digits: String {
        switch self {
        case .md5(let digits), .sha256(let digits): digits
        }
    }

    /// The algorithm and the digits: `md5 9a0d58…`.
    public var description: String {
        switch self {
        case .md5(let digits): "md5 \(digits)"
        case .sha256(let digits): "sha256 \(digits)"
        }
    }

    /// The checksum, of the same kind as this one, of a file's bytes.
    ///
    /// Reads the file in pieces of 1 MiB; memory does not grow with the file.
    ///
    /// - Throws: `GraftError` with code `file` where the file cannot be read.
    public func computed(ofFileAt path: String) throws(GraftError) -> Checksum {
        switch self {
        case .md5:
            guard let hash = MD5() else {
                throw GraftError(
                    .file,
                    "\(path) is published with an MD5, which this system's OpenSSL leaves out: load its default provider"
                        + " (`openssl list -providers` names what is there)")
            }
            return .md5(try Self.digits(of: path, hash))
        case .sha256: return .sha256(try Self.digits(of: path, SHA256()))
        }
    }

    /// The SHA-256 of a file's bytes.
    ///
    /// - Throws: `GraftError` with code `file` where the file cannot be read.
    public static func sha256(ofFileAt path: String) throws(GraftError) -> Checksum {
        .sha256(try digits(of: path, SHA256()))
    }

    private static func digits(of path: String, _ empty: some HashFunction) throws(GraftError) -> String {
        var hash = empty
        do throws(GraftError) {
            let file = try File(reading: path)
            while case let piece = try file.read(upTo: 1 << 20), !piece.isEmpty { hash.update(piece) }
        } catch {
            throw GraftError(.file, "\(path) cannot be read to compute its checksum: \(error.message)")
        }
        return hash.finalize().hexadecimal
    }
}
