#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Reading whole files.
package enum FileBytes {
    /// All bytes of a regular file.
    ///
    /// Pipes, devices and folders are refused without waiting on them, and so is a file of more than `limit` bytes.
    package static func read(_ path: String, limit: Int) throws(GraftError) -> [UInt8] {
        var status = stat()
        // Opening alone may wait for a pipe's other end, or do something to a device.
        if stat(path, &status) == 0 { try checkRegular(status.st_mode) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw systemError("cannot be opened") }
        defer { close(descriptor) }
        guard fstat(descriptor, &status) == 0 else { throw systemError("cannot be examined") }
        try checkRegular(status.st_mode)
        let byteCount = Int(status.st_size)
        guard byteCount <= limit else {
            throw GraftError(.file, "holds \(byteCount) bytes; at most \(limit) are read")
        }
        return try read(descriptor, byteCount: byteCount)
    }

    /// The size of a regular file; `nil` for anything else, and where there is none. It is not opened.
    package static func byteCount(of path: String) -> Int? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    private static func checkRegular(_ mode: mode_t) throws(GraftError) {
        guard mode & S_IFMT == S_IFREG else {
            throw GraftError(.file, "is not a regular file but a \(kind(of: mode))")
        }
    }

    private static func read(_ descriptor: Int32, byteCount: Int) throws(GraftError) -> [UInt8] {
        var failure: GraftError?
        let bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, initializedCount in
            while initializedCount < byteCount, let start = buffer.baseAddress {
                #if canImport(Darwin)
                    let count = Darwin.read(descriptor, start + initializedCount, byteCount - initializedCount)
                #elseif canImport(Musl)
                    let count = Musl.read(descriptor, start + initializedCount, byteCount - initializedCount)
                #else
                    let count = Glibc.read(descriptor, start + initializedCount, byteCount - initializedCount)
                #endif
                if count < 0, errno == EINTR { continue }
                if count < 0 { failure = systemError("cannot be read") }
                guard count > 0 else { return }
                initializedCount += count
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// What the system calls the last error.
    package static func systemError(_ action: String) -> GraftError {
        let code = errno
        return GraftError(.file, "\(action): \(String(cString: strerror(code)))")
    }

    package static func kind(of mode: mode_t) -> String {
        switch mode & S_IFMT {
        case S_IFDIR: "folder"
        case S_IFIFO: "pipe"
        case S_IFSOCK: "socket"
        case S_IFCHR, S_IFBLK: "device"
        case S_IFLNK: "link"
        default: "special file"
        }
    }
}
