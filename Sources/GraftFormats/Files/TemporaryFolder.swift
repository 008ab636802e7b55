import Foundation
import GraftModel

/// A folder for a file that is needed for a moment: a member of an archive, unpacked.
///
/// It belongs to whoever holds its lock, as a ``TemporaryFile`` does; what a killed process left is removed when the next
/// one is made.
enum TemporaryFolder {
    private static let prefix = "graft-unpacked-"

    /// Makes a folder that only this user can read (in `TMPDIR` or `/tmp`) and removes it with what is in it.
    static func with<Result>(_ body: (String) throws(GraftError) -> Result) throws(GraftError) -> Result {
        let root = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        removeAbandoned(in: root)
        let folder = try make(in: root)
        defer {
            withExtendedLifetime(folder) { try? FileManager.default.removeItem(atPath: folder.path) }
        }
        return try body(folder.path)
    }

    /// A new folder whose lock is held. Between the making and the lock somebody may have taken it for abandoned.
    private static func make(in root: String) throws(GraftError) -> File {
        for _ in 0..<8 {
            var template = Array("\(root)/\(prefix)XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { throw FileFailure.error("cannot make a folder in \(root)") }
            let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
            guard let folder = try? File(folder: path) else { continue }
            // Where the file system has no locks, nobody can take this one either.
            _ = try? folder.lock(exclusively: true, waiting: false)
            if folder.isInPlace { return folder }
        }
        throw GraftError(.file, "the folders that are made in \(root) are removed again and again")
    }

    /// Removes those of this user whose owner is gone.
    private static func removeAbandoned(in root: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? [] where name.hasPrefix(prefix) {
            let path = "\(root)/\(name)"
            guard let folder = try? File(folder: path), folder.isOwn,
                (try? folder.lock(exclusively: true, waiting: false)) == true, folder.isInPlace
            else { continue }
            // No folders, and so nothing that a link could lead to.
            for member in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
                unlink("\(path)/\(member)")
            }
            rmdir(path)
        }
    }
}
