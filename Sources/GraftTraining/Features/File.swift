import Foundation
import GraftGraph

/// An open file, read and written at positions; closed when the last reference goes.
///
/// Sendable: a descriptor is a number, and positioned reads and writes need no lock.
final class File: Sendable {
    let path: String
    private let descriptor: Int32

    private init(path: String, flags: Int32, mode: mode_t = 0o644) throws {
        descriptor = open(path, flags | O_CLOEXEC, mode)
        self.path = path
        guard descriptor >= 0 else { throw Self.failure("cannot open", path, errno) }
    }

    deinit { close(descriptor) }

    /// An existing file.
    static func reading(_ path: String) throws -> File { try File(path: path, flags: O_RDONLY) }

    /// A new file; one that exists already is an error.
    static func creating(_ path: String) throws -> File {
        try File(path: path, flags: O_RDWR | O_CREAT | O_EXCL)
    }

    /// A file that is there afterwards, empty if it was not there before.
    static func ensuring(_ path: String) throws -> File { try File(path: path, flags: O_RDWR | O_CREAT) }

    var byteCount: Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Whether the path still names this file, rather than none or another one.
    var isInPlace: Bool {
        var (mine, named) = (stat(), stat())
        return fstat(descriptor, &mine) == 0 && stat(path, &named) == 0 && mine.st_ino == named.st_ino
            && mine.st_dev == named.st_dev
    }

    /// Fills the buffer from a position.
    ///
    /// - Throws: `GraftError` with code `format` where the file ends before the buffer is full.
    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int) throws {
        var done = 0
        while done < buffer.count {
            let count = pread(
                descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, off_t(position + done))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.failure("cannot read", path, errno) }
            guard count > 0 else {
                throw GraftError(.format, "\(path) ends at byte \(position + done); it should be longer")
            }
            done += count
        }
    }

    /// Writes the whole buffer at a position.
    func write(_ buffer: UnsafeRawBufferPointer, at position: Int) throws {
        var done = 0
        while done < buffer.count {
            let count = pwrite(
                descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, off_t(position + done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("cannot write", path, errno) }
            done += count
        }
    }

    /// Cuts the file off behind so many bytes.
    func truncate(to byteCount: Int) throws {
        guard ftruncate(descriptor, off_t(byteCount)) == 0 else { throw Self.failure("cannot write", path, errno) }
    }

    /// Takes the lock that goes with the open file, and with the last reference: shared by many, or held by one.
    ///
    /// - Returns: false where somebody else holds it and `waiting` is false.
    func lock(exclusively: Bool, waiting: Bool) throws -> Bool {
        let operation = (exclusively ? LOCK_EX : LOCK_SH) | (waiting ? 0 : LOCK_NB)
        while flock(descriptor, operation) != 0 {
            if errno == EINTR { continue }
            if errno == EWOULDBLOCK { return false }
            throw Self.failure("cannot lock", path, errno)
        }
        return true
    }

    /// What the system said, with what to do about it.
    static func failure(_ action: String, _ path: String, _ code: Int32) -> GraftError {
        let reason = String(cString: strerror(code))
        if code == ENOSPC || code == EDQUOT {
            return GraftError(
                .file,
                "\(action) \(path): the disk is full (\(reason)); free some space or choose another folder")
        }
        return GraftError(.file, "\(action) \(path): \(reason)")
    }
}

/// What the file system knows about a folder.
enum Disk {
    /// Bytes that a user may still write where this folder is, or `nil` where the system does not say.
    static func freeByteCount(at folder: String) -> Int? {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return nil }
        return Int(
            clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue)
    }

    /// The bytes of a file, 0 where there is none.
    static func byteCount(ofFileAt path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Makes a folder and those above it.
    static func makeFolder(_ path: String) throws(GraftError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw GraftError(.file, "cannot make the folder \(path); choose another one", cause: error)
        }
    }

    /// A size for people: `1.2 GB`.
    static func text(byteCount: Int) -> String {
        let units = ["B", "kB", "MB", "GB", "TB"]
        var (value, unit) = (Double(byteCount), 0)
        while value >= 1000, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
        return unit == 0 ? "\(byteCount) B" : "\((value * 10).rounded() / 10) \(units[unit])"
    }
}
