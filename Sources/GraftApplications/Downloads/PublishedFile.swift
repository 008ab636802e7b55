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

    /// The name under which it is published and kept.
    public let name: String
    /// Where it is published.
    public let url: String
    /// What its bytes must add up to; `nil` where the publisher does not say.
    public let checksum: Checksum?
    /// What its bytes are.
    public let format: Format

    /// A file published in a folder.
    init(_ name: String, in folder: String, checksum: Checksum? = nil, format: Format = .hdf5) {
        self.name = name
        url = folder + name
        self.checksum = checksum
        self.format = format
    }

    /// Says why a copy of the file is not whole, or `nil` where nothing is wrong with it.
    ///
    /// With a published checksum the copy must have it. Without one it must have the checksum that Graft noted next to it
    /// when it was downloaded (`name.sha256`, as `sha256sum` writes it), where there is such a note,
    /// and open as the format it is said to be.
    func defect(ofCopyAt path: String) throws(GraftError) -> String? {
        if let checksum {
            let found = try checksum.computed(ofFileAt: path)
            return found == checksum ? nil : "it has \(found), published is \(checksum)"
        }
        if let noted = Self.note(besides: path) {
            let found = try noted.computed(ofFileAt: path)
            return found == noted ? nil : "it has \(found), at its download it had \(noted)"
        }
        return formatDefect(ofCopyAt: path)
    }

    private func formatDefect(ofCopyAt path: String) -> String? {
        switch format {
        case .hdf5:
            let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
            let start = try? FileHandle(forReadingFrom: URL(fileURLWithPath: path)).read(upToCount: signature.count)
            return start.map(Array.init) == signature ? nil : "it is not an HDF5 file"
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
        guard let text = try? String(contentsOfFile: path + ".sha256", encoding: .utf8),
            let digits = text.split(separator: " ").first, digits.count == 64, digits.allSatisfy(\.isHexDigit)
        else { return nil }
        return .sha256(digits.lowercased())
    }

    /// Notes the checksum of a file that was just downloaded, and has none published.
    func note(checksumOfCopyAt path: String) throws(GraftError) {
        let line = try "\(Checksum.sha256(ofFileAt: path).digits)  \(name)\n"
        do {
            try line.write(toFile: path + ".sha256", atomically: true, encoding: .utf8)
        } catch {
            throw GraftError(.file, "the checksum of \(path) cannot be noted beside it", cause: error)
        }
    }
}
