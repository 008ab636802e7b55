import Foundation
import GraftGraph

/// An open file of the operating system, closed with its last reference.
///
/// Sendable because the number never changes; the position of a descriptor is used by one owner.
final class FileDescriptor: @unchecked Sendable {
    let number: Int32
    let path: String

    private init(_ number: Int32, path: String) {
        self.number = number
        self.path = path
    }

    deinit { close(number) }

    /// Opens a file for reading.
    ///
    /// - Throws: `.file` where it is missing, a folder or unreadable.
    convenience init(reading path: String) throws(GraftError) {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { throw FileFailure.error("cannot open \(path)") }
        self.init(number, path: path)
        var status = stat()
        guard fstat(number, &status) == 0 else { throw FileFailure.error("cannot read \(path)") }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw GraftError(.file, "\(path) is not a file but a folder or a device; give the path of a file")
        }
    }

    /// Creates a file that must not exist yet, for reading and writing.
    convenience init(creating path: String) throws(GraftError) {
        let number = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard number >= 0 else { throw FileFailure.error("cannot create \(path)") }
        self.init(number, path: path)
    }

    /// The file's size.
    func byteCount() throws(GraftError) -> UInt64 {
        var status = stat()
        guard fstat(number, &status) == 0 else { throw FileFailure.error("cannot read \(path)") }
        return UInt64(max(0, status.st_size))
    }

    /// Up to this many bytes from the position, fewer only at the end.
    func read(upTo count: Int) throws(GraftError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let filled = try bytes.withUnsafeMutableBufferPointer { (buffer) throws(GraftError) in
            try read(into: UnsafeMutableRawBufferPointer(buffer))
        }
        bytes.removeLast(count - filled)
        return bytes
    }

    /// Fills memory from the position; the number of bytes read is smaller only at the file's end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(GraftError) -> Int {
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

    /// Writes all of these bytes at the position.
    func write(_ buffer: UnsafeRawBufferPointer) throws(GraftError) {
        var written = 0
        while written < buffer.count {
            let piece = UnsafeRawBufferPointer(rebasing: buffer[written...])
            let count = Foundation.write(number, piece.baseAddress, min(piece.count, Self.largestCall))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw FileFailure.error("cannot write \(path)") }
            written += count
        }
    }

    /// Moves the position.
    func seek(to offset: Int) throws(GraftError) {
        guard lseek(number, off_t(offset), SEEK_SET) >= 0 else { throw FileFailure.error("cannot move in \(path)") }
    }

    /// Has the system begin to bring a stretch of the file to the disk, so that ``flush()`` has less to wait for. Advice:
    /// where it is not taken, nothing but time is lost.
    func beginFlush(from start: Int, byteCount: Int) {
        #if os(Linux)
            // Linux answers by writing what is not on the disk yet, and drops what is.
            _ = posix_fadvise(number, off_t(start), off_t(byteCount), POSIX_FADV_DONTNEED)
        #endif
    }

    /// Waits until what was written is on the disk.
    func flush() throws(GraftError) {
        guard fsync(number) == 0 else { throw FileFailure.error("cannot write \(path) to the disk") }
    }

    /// Linux moves at most 2 GB less a page in one call.
    private static let largestCall = 1 << 30
}

/// Failures of the operating system, in its words.
enum FileFailure {
    /// The error of the call that has just failed (`errno`).
    static func error(_ what: String, number: Int32 = errno) -> GraftError {
        GraftError(.file, "\(what): \(String(cString: strerror(number)).lowercasedFirst)")
    }
}

extension String {
    /// The same words with a small first letter, for use behind a colon.
    var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
