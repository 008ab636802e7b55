import Foundation

/// A new file under a temporary name, which belongs to whoever holds its lock.
///
/// The lock goes with the process, however that ends, and holds between machines that share a disk and between containers
/// that share a folder, where a process number says nothing. So a temporary file whose lock can be taken has no owner, and
/// whoever finds it may remove it.
package struct TemporaryFile {
    private let file: File

    /// Where it is, next to the file that it is for.
    package var path: String { file.path }

    /// Makes one for a file.
    ///
    /// - Throws: `file` where the folder cannot be written to.
    package init(for path: String) throws(GraftError) { file = try Self.make(for: path) }

    /// Between the making and the lock somebody may have taken it for abandoned.
    private static func make(for path: String) throws(GraftError) -> File {
        for _ in 0..<8 {
            let file = try File(creating: name(for: path))
            // Where the file system has no locks, nobody can take this one either.
            _ = try? file.lock(exclusively: true, waiting: false)
            if file.isInPlace { return file }
        }
        throw GraftError(.file, "\(path) was not written: its temporary file is removed again and again")
    }

    /// Waits until what was written is on the disk.
    package func flush() throws(GraftError) { try file.flush() }

    /// A name next to a file that nothing else uses: hidden, and telling whose it is.
    static func name(for path: String) -> String {
        let tag = String(UInt32.random(in: .min ... .max), radix: 36)
        return "\(AtomicFile.folder(of: path))/.\(AtomicFile.name(of: path)).\(getpid())-\(tag).partial"
    }

    /// Removes those of a folder whose owner is gone.
    static func removeAbandoned(in folder: String, beginningWith prefix: String = ".") {
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        where entry.hasPrefix(prefix) && isName(entry) {
            remove(folder + "/" + entry)
        }
    }

    /// Whether a name is one of ``name(for:)``, with what libzip of earlier versions put behind it: `.model.keras.4711-x2y.partial`.
    private static func isName(_ name: String) -> Bool {
        guard let end = name.range(of: ".partial", options: .backwards),
            let last = name[..<end.lowerBound].split(separator: ".").last
        else { return false }
        return last.prefix { $0 != "-" }.allSatisfy(\.isNumber) && last.first?.isNumber == true
    }

    private static func remove(_ path: String) {
        guard let file = try? File(reading: path), (try? file.lock(exclusively: true, waiting: false)) == true,
            file.isInPlace
        else { return }
        unlink(path)
    }
}
