import Foundation
import GraftFormats

/// A file that somebody publishes, and how to tell that a copy of it is whole.
public struct PublishedFile: Hashable, Sendable {
    /// What the bytes are; checked where no checksum is published.
    public enum Format: Hashable, Sendable {
        /// HDF5, as in Keras's `.h5` weight files.
        case hdf5
        /// A zip archive.
        case zip
    }

    /// The name under which it is kept, here as by Keras.
    public let name: String
    /// Where it is published.
    public let url: String
    /// What its bytes must add up to; `nil` where the publisher does not say.
    public let checksum: Checksum?
    /// What its bytes are.
    public let format: Format

    /// A file published in a folder, there perhaps under another name than Keras keeps it under.
    init(
        _ name: String, in folder: String, publishedAs publishedName: String? = nil, checksum: Checksum? = nil,
        format: Format = .hdf5
    ) {
        self.name = name
        url = folder + (publishedName ?? name)
        self.checksum = checksum
        self.format = format
    }

    /// Says why a copy of the file is not whole, or `nil` where nothing is wrong with it.
    ///
    /// A copy must have the checksum that is published, where one is, and the SHA-256 that Graft noted next to it when it was first
    /// used (`name.sha256`, as `sha256sum` writes it), where there is such a note: published are MD5s, which anybody can make a
    /// second file for. Without either it must open as the format it is said to be.
    func defect(ofCopyAt path: String) throws(GraftError) -> String? {
        if let checksum {
            let found = try checksum.computed(ofFileAt: path)
            guard found == checksum else { return "it has \(found), published is \(checksum)" }
        }
        if let noted = Self.note(besides: path) {
            let found = try noted.computed(ofFileAt: path)
            return found == noted ? nil : "it has \(found), at its download it had \(noted)"
        }
        return checksum != nil ? nil : formatDefect(ofCopyAt: path)
    }

    private func formatDefect(ofCopyAt path: String) -> String? {
        switch format {
        case .hdf5:
            let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
            let start = try? FileHead(path: path, count: signature.count).bytes
            return start == signature ? nil : "it is not an HDF5 file"
        case .zip:
            do throws(GraftError) {
                return try ZipArchive(reading: path).members.isEmpty ? "it is an empty zip archive" : nil
            } catch {
                return "it is not a zip archive that can be read"
            }
        }
    }

    /// The checksum that was noted when a file was downloaded.
    static func note(besides path: String) -> Checksum? {
        guard let bytes = try? FileBytes.read(path + ".sha256", limit: 4096),
            let digits = String(decoding: bytes, as: UTF8.self).split(separator: " ").first, digits.count == 64,
            digits.allSatisfy(\.isHexDigit)
        else { return nil }
        return .sha256(digits.lowercased())
    }

    /// Notes the checksum of a file that is used for the first time.
    func note(checksumOfCopyAt path: String) throws(GraftError) {
        let line = try "\(Checksum.sha256(ofFileAt: path).digits)  \(name)\n"
        do throws(GraftError) {
            try AtomicFile.write(line, to: path + ".sha256")
        } catch {
            throw GraftError(.file, "the checksum of \(path) cannot be noted beside it: \(error.message)")
        }
    }

    /// The most bytes that are downloaded of a file whose size nothing says: the largest that is published, VGG16 with its top,
    /// has 553 MB.
    static let largestByteCount: Int64 = 2_000_000_000
}
