#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What is said where the system gives no more memory.
package enum OutOfMemory {
    /// The failure, for those who can hand it on.
    package static func error(_ byteCount: Int) -> GraftError { GraftError(.backend, words(byteCount)) }

    /// Ends the program with exit code 1 after saying why: nobody can hand the failure on, and the alternative is a trap.
    package static func end(_ byteCount: Int) -> Never {
        let text = "graft: \(words(byteCount))\n"
        text.withCString { _ = write(STDERR_FILENO, $0, text.utf8.count) }
        _exit(1)
    }

    private static func words(_ byteCount: Int) -> String {
        "the system gives no \(Disk.text(byteCount: byteCount)) of memory more; take a smaller batch or smaller images, or raise "
            + "the limit (ulimit -v, or that of the container)"
    }
}
