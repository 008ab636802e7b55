import Foundation

/// Files that are there whole or not at all.
package enum AtomicFile {
    /// Lets `body` write a file under a temporary name in the same folder, sees it onto the disk and gives it its name.
    ///
    /// Until the very end the file that was there before is untouched; where anything fails, the temporary one goes.
    ///
    /// - Parameters:
    ///   - path: The file to make or replace. Where it is a symbolic link, the file that it leads to.
    ///   - byteCount: About how much will be written; where the disk has less room, nothing is started.
    ///   - previous: The name that the file that was there before gets, if it is to be kept.
    ///   - isFlushed: Whether the file is seen onto the disk before it gets its name, so that it survives a loss of power.
    ///   - body: Writes the file of the name it is given, which is there and empty, and has closed it when it returns.
    /// - Throws: `.file` where the disk refuses, with the room that is needed and the room there is.
    package static func write(
        to path: String, byteCount: Int = 0, keeping previous: String? = nil, isFlushed: Bool = true,
        _ body: (String) throws(GraftError) -> Void
    ) throws(GraftError) {
        let target = try resolved(path)
        let room = DiskRoom(needed: byteCount, folder: folder(of: target))
        try room.check(for: path)
        let file = try TemporaryFile(for: target)
        let temporary = file.path
        var isComplete = false
        defer { if !isComplete { unlink(temporary) } }
        do throws(GraftError) {
            try body(temporary)
            if isFlushed { try file.flush() }
        } catch {
            let words = error.message.replacing(temporary, with: path)
            throw GraftError(
                error.code, "\(path) was not written, what was there before is untouched: \(words)\(room.hint)",
                cause: error.cause)
        }
        if let previous { try keep(target, as: previous) }
        guard rename(temporary, target) == 0 else { throw FileFailure.error("cannot rename \(temporary) to \(path)") }
        isComplete = true
        if isFlushed { flushFolder(of: target) }
    }

    /// Writes small files that are made anew where they are lost: not seen onto the disk.
    package static func write(_ bytes: [UInt8], to path: String) throws(GraftError) {
        try write(to: path, byteCount: bytes.count, isFlushed: false) { (temporary) throws(GraftError) in
            let file = try File(filling: temporary)
            var failure: GraftError?
            bytes.withUnsafeBytes { bytes in
                do throws(GraftError) { try file.write(bytes) } catch { failure = error }
            }
            if let failure { throw failure }
        }
    }

    /// Writes text, as ``write(_:to:)`` does bytes.
    package static func write(_ text: String, to path: String) throws(GraftError) {
        try write(Array(text.utf8), to: path)
    }

    /// Gives a file, where there is one, a second name; what had that name before goes. At every moment a whole file has
    /// the first name, but on file systems without second names.
    private static func keep(_ path: String, as previous: String) throws(GraftError) {
        guard access(path, F_OK) == 0 else { return }
        let link = TemporaryFile.name(for: previous)
        let hasLink = Foundation.link(path, link) == 0
        guard rename(hasLink ? link : path, previous) == 0 else {
            if hasLink { unlink(link) }
            throw FileFailure.error("cannot rename \(path) to \(previous)")
        }
        // Where both were the same file already, `rename` does nothing.
        if hasLink { unlink(link) }
    }

    /// Removes what processes that are gone left behind while they wrote this file: a killed one cannot tidy up.
    package static func removePartials(of path: String) {
        TemporaryFile.removeAbandoned(in: folder(of: path), beginningWith: ".\(name(of: path)).")
    }

    /// Removes what processes that are gone left behind while they wrote files of this folder.
    package static func removePartials(in folder: String) { TemporaryFile.removeAbandoned(in: folder) }

    package static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func name(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    /// Follows a link, so that its target is replaced and not the link; refuses what cannot be a file.
    private static func resolved(_ path: String) throws(GraftError) -> String {
        guard !name(of: path).isEmpty else { throw GraftError(.argument, "\"\(path)\" is not the path of a file") }
        var status = stat()
        guard stat(path, &status) == 0 else { return path }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw GraftError(.file, "\(path) is a folder or a device; give the path of a file")
        }
        guard let real = realpath(path, nil) else { throw FileFailure.error("cannot resolve \(path)") }
        defer { free(real) }
        return String(cString: real)
    }

    /// Sees the new name onto the disk. Some file systems cannot, and the file itself is there already.
    private static func flushFolder(of path: String) {
        let descriptor = open(folder(of: path), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}

/// What a file needs and what a disk has.
package struct DiskRoom {
    package let needed: Int
    package let folder: String

    package init(needed: Int, folder: String) { (self.needed, self.folder) = (needed, folder) }

    /// - Throws: `.file` where the folder's disk has less room than needed.
    package func check(for path: String) throws(GraftError) {
        guard let available, available < needed else { return }
        throw GraftError(
            .file,
            "\(path) was not written: it needs about \(Self.megabytes(needed)), and the disk has "
                + "\(Self.megabytes(available)) free; make room or choose another folder")
    }

    /// To append to a message: what is needed and what is left.
    package var hint: String {
        guard needed > 0 else { return "" }
        let left = available.map { ", \(Self.megabytes($0)) are free" } ?? ""
        return " (about \(Self.megabytes(needed)) are needed\(left))"
    }

    private var available: Int? { Disk.freeByteCount(at: folder) }

    package static func megabytes(_ byteCount: Int) -> String {
        let tenths = (byteCount + 99_999) / 100_000
        return "\(tenths / 10).\(tenths % 10) MB"
    }
}
