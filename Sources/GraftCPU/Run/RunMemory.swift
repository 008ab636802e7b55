internal import CKernels

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Where a run finds its buffers, and what else it needs: the one argument of every step.
struct RunMemory {
    /// The memory of each buffer, by number.
    let buffers: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
    /// Working memory that the steps share, one after the other.
    let scratch: UnsafeMutableRawPointer
    let stream: Stream
    let threads: Int
    let randomKey: UInt64
    /// Where the rows of packed inputs stand.
    var packed: [BufferID: graft_packed_rows] = [:]
    /// A product that the run before began, or that this one begins for the next.
    var ahead: LookaheadRun?
    /// What waits of some variables to be made smaller.
    var postponed: [BufferID: UnsafeMutablePointer<graft_postponed>] = [:]

    subscript(buffer: BufferID) -> UnsafeMutablePointer<Float> { buffers[buffer.index] }
}

/// Memory that is freed with its owner, aligned for the widest vector loads.
///
/// Sendable because it is written to only by the one run or binding that holds it.
final class Memory: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    let byteCount: Int

    /// - Throws: ``GraftError`` where the machine has no more memory.
    init(byteCount: Int) throws(GraftError) {
        guard let base = graft_allocate(max(byteCount, Self.alignment)) else {
            throw GraftError(.backend, "the machine gives no \(byteCount >> 20) MiB more; use a smaller batch")
        }
        (self.base, self.byteCount) = (base, byteCount)
    }

    deinit { free(base) }

    /// A cache line, and a 512-bit vector.
    static let alignment = 64

    /// A size brought up to the alignment.
    static func aligned(_ byteCount: Int) -> Int { (byteCount + alignment - 1) / alignment * alignment }
}
