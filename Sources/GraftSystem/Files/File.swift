import Foundation

/// An open file of the operating system, closed with its last reference.
///
/// Sendable: the number never changes, and reads and writes at positions need no lock. The file's own position, of the calls
/// without one, is used by one owner.
package final class File: Sendable {
    package let path: String
    package let number: Int32

    private init(_ path: String, flags: Int32, _ action: String) throws(GraftError) {
        number = open(path, flags | O_CLOEXEC, 0o644)
        self.path = path
        guard number >= 0 else { throw FileFailure.error("\(action) \(path)") }
    }

    deinit { close(number) }

    // MARK: Opening

    /// Opens a file for reading. Pipes, devices and folders are refused without waiting on them.
    ///
    /// - Throws: `file` where it is missing, unreadable, or no file but something else.
    package convenience init(reading path: String) throws(GraftError) {
        try self.init(path, flags: O_RDONLY | O_NONBLOCK, "cannot open")
        try requireRegular()
    }

    /// Creates a file that must not exist yet, for reading and writing.
    package convenience init(creating path: String) throws(GraftError) {
        try self.init(path, flags: O_RDWR | O_CREAT | O_EXCL, "cannot create")
    }

    /// A new file, or one that is there and empty, for reading and writing: the temporary one of ``AtomicFile``, which has made it
    /// and holds its lock.
    ///
    /// - Throws: `file` where something is in it already.
    package convenience init(filling path: String) throws(GraftError) {
        try self.init(path, flags: O_RDWR | O_CREAT | O_NONBLOCK, "cannot create")
        try requireRegular()
        guard byteCount == 0 else { throw FileFailure.error("cannot create \(path)", number: EEXIST) }
    }

    /// A file that is there afterwards, empty if it was not there before, for reading and writing.
    package convenience init(ensuring path: String) throws(GraftError) {
        try self.init(path, flags: O_RDWR | O_CREAT | O_NONBLOCK, "cannot open")
        try requireRegular()
    }

    /// Opens a folder, to lock it.
    ///
    /// - Throws: `file` where it is missing, or no folder but a link to one or something else.
    package convenience init(folder path: String) throws(GraftError) {
        try self.init(path, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK, "cannot open")
    }

    private func requireRegular() throws(GraftError) {
        var status = stat()
        guard fstat(number, &status) == 0 else { throw FileFailure.error("cannot read \(path)") }
        guard status.st_mode & S_IFMT == S_IFREG else {
            let kind = FileBytes.kind(of: status.st_mode)
            throw GraftError(.file, "\(path) is not a file but a \(kind); give the path of a file")
        }
    }

    // MARK: What it is

    /// The file's size; 0 where the system does not say.
    package var byteCount: Int {
        var status = stat()
        return fstat(number, &status) == 0 ? max(0, Int(status.st_size)) : 0
    }

    /// Whether the path still names this file, rather than none or another one.
    package var isInPlace: Bool {
        var (mine, named) = (stat(), stat())
        return fstat(number, &mine) == 0 && stat(path, &named) == 0 && mine.st_ino == named.st_ino
            && mine.st_dev == named.st_dev
    }

    /// Whether it belongs to this user.
    package var isOwn: Bool {
        var status = stat()
        return fstat(number, &status) == 0 && status.st_uid == geteuid()
    }

    // MARK: Reading

    /// Fills the buffer from a place in the file.
    ///
    /// - Throws: `format` where the file ends before the buffer is full.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int) throws(GraftError) {
        var done = 0
        while done < buffer.count {
            let count = pread(
                number, buffer.baseAddress?.advanced(by: done), min(buffer.count - done, Self.largestCall),
                off_t(position + done))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileFailure.error("cannot read \(path)") }
            guard count > 0 else {
                throw GraftError(.format, "\(path) ends at byte \(position + done); it should be longer")
            }
            done += count
        }
    }

    /// Up to this many bytes from the file's position, fewer only at the end.
    package func read(upTo count: Int) throws(GraftError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let filled = try bytes.withUnsafeMutableBufferPointer { (buffer) throws(GraftError) in
            try read(into: UnsafeMutableRawBufferPointer(buffer))
        }
        bytes.removeLast(count - filled)
        return bytes
    }

    /// Fills memory from the file's position; the number of bytes read is smaller only at the file's end.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(GraftError) -> Int {
        var filled = 0
        while filled < buffer.count {
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let count = Foundation.read(number, piece.baseAddress, min(piece.count, Self.largestCall))
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw FileFailure.error("cannot read \(path)") }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    // MARK: Writing

    /// Writes the whole buffer at a place in the file.
    package func write(_ buffer: UnsafeRawBufferPointer, at position: Int) throws(GraftError) {
        var done = 0
        while done < buffer.count {
            let count = pwrite(
                number, buffer.baseAddress?.advanced(by: done), min(buffer.count - done, Self.largestCall),
                off_t(position + done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FileFailure.error("cannot write \(path)") }
            done += count
        }
    }

    /// Writes the whole buffer at the file's position.
    package func write(_ buffer: UnsafeRawBufferPointer) throws(GraftError) {
        var written = 0
        while written < buffer.count {
            let piece = UnsafeRawBufferPointer(rebasing: buffer[written...])
            let count = Foundation.write(number, piece.baseAddress, min(piece.count, Self.largestCall))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw FileFailure.error("cannot write \(path)") }
            written += count
        }
    }

    /// Truncates the file to this many bytes.
    package func truncate(to byteCount: Int) throws(GraftError) {
        guard ftruncate(number, off_t(byteCount)) == 0 else { throw FileFailure.error("cannot write \(path)") }
    }

    /// Moves the file's position.
    package func seek(to offset: Int) throws(GraftError) {
        guard lseek(number, off_t(offset), SEEK_SET) >= 0 else { throw FileFailure.error("cannot move in \(path)") }
    }

    /// Has the system begin to write a range of the file to the disk, so that ``flush()`` waits less. Advice:
    /// where it is not taken, nothing but time is lost.
    package func beginFlush(from start: Int, byteCount: Int) {
        #if os(Linux)
            // Linux answers by writing what is not on the disk yet, and drops what is.
            _ = posix_fadvise(number, off_t(start), off_t(byteCount), POSIX_FADV_DONTNEED)
        #endif
    }

    /// Waits until what was written is on the disk.
    package func flush() throws(GraftError) {
        guard fsync(number) == 0 else { throw FileFailure.error("cannot write \(path) to the disk") }
    }

    // MARK: Locking

    /// Takes the lock that goes with the open file, and with the last reference: shared by many, or held by one.
    ///
    /// - Returns: false where another process holds it and `waiting` is false.
    package func lock(exclusively: Bool, waiting: Bool) throws(GraftError) -> Bool {
        let operation = (exclusively ? LOCK_EX : LOCK_SH) | (waiting ? 0 : LOCK_NB)
        while flock(number, operation) != 0 {
            if errno == EINTR { continue }
            if errno == EWOULDBLOCK { return false }
            throw FileFailure.error("cannot lock \(path)")
        }
        return true
    }

    /// Linux moves at most 2 GB less a page in one call.
    private static let largestCall = 1 << 30
}

/// Failures of the operating system, in its words.
package enum FileFailure {
    /// The error of the call that has just failed (`errno`), with what to do about it where that is known.
    package static func error(_ what: String, number: Int32 = errno) -> GraftError {
        let reason = String(cString: strerror(number)).lowercasedFirst
        guard number == ENOSPC || number == EDQUOT else { return GraftError(.file, "\(what): \(reason)") }
        return GraftError(
            .file, "\(what): the disk is full (\(reason)); free some space or choose another folder")
    }
}

extension String {
    /// With a lowercase first letter, for use after a colon.
    package var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
