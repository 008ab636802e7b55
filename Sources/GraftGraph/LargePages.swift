#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Memory in large pages: an array of hundreds of megabytes that is gone through once a step costs a table look-up every
/// 2 MiB in place of every 4 KiB, and a five-hundredth of the page faults when it is new.
enum LargePages {
    /// The size of a large page in bytes, on x86-64 and most arm64 systems.
    static let byteCount = 2 << 20

    /// The alignment for memory of this size: a large page's where there are two at least, else that of a vector.
    static func alignment(forByteCount byteCount: Int) -> Int {
        byteCount >= 2 * Self.byteCount ? Self.byteCount : TensorStorage.alignment
    }

    /// Asks for large pages, where the system has them for the asking. Only whole ones, so that no memory beyond the end
    /// is taken.
    static func advise(_ base: UnsafeMutableRawPointer, byteCount: Int) {
        #if os(Linux)
            guard byteCount >= 2 * Self.byteCount else { return }
            // Advice: where it is not taken, nothing but speed is lost.
            _ = madvise(base, byteCount / Self.byteCount * Self.byteCount, MADV_HUGEPAGE)
        #endif
    }

    /// New memory of the system for an array of several large pages, all zeros; `nil` for a smaller one and where there is
    /// none.
    static func zeros(byteCount: Int) -> UnsafeMutableRawPointer? {
        #if os(Linux)
            guard byteCount >= 2 * Self.byteCount else { return nil }
            let size = mappedByteCount(byteCount)
            // A page more than is needed, to begin where a large page does; what is over goes back.
            let all = mmap(
                nil, size + Self.byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            guard let all, all != MAP_FAILED else { return nil }
            let before = -Int(bitPattern: all) & (Self.byteCount - 1)
            if before > 0 { munmap(all, before) }
            munmap(all + before + size, Self.byteCount - before)
            advise(all + before, byteCount: byteCount)
            return all + before
        #else
            return nil
        #endif
    }

    /// Gives back what ``zeros(byteCount:)`` gave.
    static func releaseZeros(_ base: UnsafeMutableRawPointer, byteCount: Int) {
        #if os(Linux)
            munmap(base, mappedByteCount(byteCount))
        #endif
    }

    private static func mappedByteCount(_ byteCount: Int) -> Int {
        (byteCount + Self.byteCount - 1) / Self.byteCount * Self.byteCount
    }
}
