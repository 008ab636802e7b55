#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A range of memory with guard words before and after it, which show writes outside of it.
struct GuardedRange {
    let base: UnsafeMutableRawPointer
    let byteCount: Int

    /// On either side: a pixel of a thousand channels, so that a kernel that writes a pixel too many always hits it.
    static let guardByteCount = 4096
    /// The guard words' bytes. No kernel computes such values: −3.8·10⁻¹³ in float32, −2.6·10⁻¹² in bfloat16.
    private static let pattern: UInt8 = 0xAB

    private var before: UnsafeMutableRawPointer { base - Self.guardByteCount }
    private var behind: UnsafeMutableRawPointer { base + byteCount }

    /// Writes the guard words.
    func mark() {
        for start in [before, behind] { memset(start, Int32(Self.pattern), Self.guardByteCount) }
    }

    /// What was written outside, or `nil`: how many of the guard's bytes, and where.
    var damage: String? {
        if let bytes = changedBytes(at: behind) {
            return "\(bytes.count) bytes behind the end, up to \(bytes.last + 1) bytes from it,"
        }
        if let bytes = changedBytes(at: before) {
            return
                "\(bytes.count) bytes before the beginning, from \(Self.guardByteCount - bytes.first) bytes before it,"
        }
        return nil
    }

    private func changedBytes(at start: UnsafeMutableRawPointer) -> (count: Int, first: Int, last: Int)? {
        // All bytes are alike where each is like the one before it.
        let first = start.load(as: UInt8.self)
        if first == Self.pattern, memcmp(start, start + 1, Self.guardByteCount - 1) == 0 { return nil }
        let changed = (0..<Self.guardByteCount).filter {
            start.load(fromByteOffset: $0, as: UInt8.self) != Self.pattern
        }
        return (changed.count, changed[0], changed[changed.count - 1])
    }
}
