import Foundation
import GraftData
import GraftGraph
import Synchronization

/// Which files a training did not learn from, by their bytes: small enough to be saved with the model, and true wherever the
/// files lie and whatever they are called.
///
/// Each file is the first 64 bits of its SHA-256; a saved model has them in Base64, about 11 characters a file. That another
/// file has the same by chance is as good as excluded: for 100,000 files held back and as many looked up, 1 in 10⁹.
public struct HeldBackFiles: Sendable, Hashable {
    /// Those of the part `validation`.
    let validation: Set<UInt64>
    /// Those of the part `test`.
    let test: Set<UInt64>

    /// The files of the parts for validation and test; they are read for it. One that cannot be read is passed over.
    public init(_ images: LabelledImages, threads: Int? = nil) {
        validation = Set(Self.digests(of: images.validation?.paths ?? [], threads: threads).compactMap { $0 })
        test = Set(Self.digests(of: images.test?.paths ?? [], threads: threads).compactMap { $0 })
    }

    /// The part of each file, read for it: `nil` for one that was not held back, or cannot be read.
    public func parts(of paths: [String], threads: Int? = nil) -> [DatasetPart?] {
        Self.digests(of: paths, threads: threads).map { digest in
            guard let digest else { return nil }
            return test.contains(digest) ? .test : validation.contains(digest) ? .validation : nil
        }
    }

    private static func digests(of paths: [String], threads: Int?) -> [UInt64?] {
        let digests = Mutex([UInt64?](repeating: nil, count: paths.count))
        ParallelWork.perform(count: paths.count, threads: threads ?? ParallelWork.coreCount) { index in
            guard let bytes = try? FileBytes.read(paths[index], limit: ImageDecoder.maximumByteCount) else { return }
            let digest = ImageExamination.Digest(bytes).high
            digests.withLock { $0[index] = digest }
        }
        return digests.withLock { $0 }
    }

    // MARK: In a saved model

    /// As a saved model has it.
    public var configuration: Configuration {
        ["validation": .string(Self.text(validation)), "test": .string(Self.text(test))]
    }

    /// Reads what ``configuration`` gave.
    ///
    /// - Throws: `GraftError` with code `format` where it is something else.
    public init(_ configuration: Configuration) throws(GraftError) {
        validation = try Self.digests(configuration["validation"])
        test = try Self.digests(configuration["test"])
    }

    private static func text(_ digests: Set<UInt64>) -> String {
        var data = Data(capacity: 8 * digests.count)
        for digest in digests.sorted() { withUnsafeBytes(of: digest.bigEndian) { data.append(contentsOf: $0) } }
        return data.base64EncodedString()
    }

    private static func digests(_ value: Configuration?) throws(GraftError) -> Set<UInt64> {
        guard let text = value?.text, let data = Data(base64Encoded: text), data.count % 8 == 0 else {
            throw GraftError(.format, "the model's split is not what Graft writes: digests of 8 bytes in Base64")
        }
        let bytes = [UInt8](data)
        return Set(
            stride(from: 0, to: bytes.count, by: 8).map { start in
                bytes[start..<(start + 8)].reduce(0) { $0 << 8 | UInt64($1) }
            })
    }
}
