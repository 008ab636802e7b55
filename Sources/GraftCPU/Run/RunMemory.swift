internal import CKernels

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A run's buffers, and what else it needs: the one argument of every step.
struct RunMemory {
    /// The memory of each buffer, by number.
    let buffers: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
    /// Scratch memory that the steps share, one after the other.
    let scratch: UnsafeMutableRawPointer
    /// One for each task that a step runs at once.
    let streams: [Stream]
    let threads: Int
    let randomKey: UInt64
    /// The rows of bitmap-compressed inputs.
    var bitmaps: [BufferID: graft_bitmap_rows] = [:]
    /// The product that the run before began, or that this one begins for the next.
    var nextBatch: NextBatchRun?
    /// The lazy rows of optimizer state.
    var lazy: [BufferID: UnsafeMutablePointer<graft_lazy_rows>] = [:]
    /// The bytes between the parts of a step's scratch memory: guard words, where the options ask for them.
    var scratchGap = 0
    /// For steps of one task.
    var stream: Stream { streams[0] }

    /// The scratch memory of one of a step's parts.
    func scratch(_ index: Int, of parts: [Int]) -> UnsafeMutableRawPointer {
        scratch + Self.offset(ofScratch: index, in: parts, gap: scratchGap)
    }

    /// Where the scratch memory of one of a step's parts begins.
    static func offset(ofScratch index: Int, in parts: [Int], gap: Int) -> Int {
        parts[..<index].reduce(0) { $0 + Memory.aligned($1) + gap }
    }

    /// With the scratch memory of one of a step's parts, for a step inside of it.
    func withScratch(_ index: Int, of parts: [Int]) -> RunMemory {
        guard index > 0 else { return self }
        return RunMemory(
            buffers: buffers, scratch: scratch(index, of: parts), streams: streams, threads: threads,
            randomKey: randomKey
        )
    }

    subscript(buffer: BufferID) -> UnsafeMutablePointer<Float> { buffers[buffer.index] }
}

/// Memory that is freed with its owner, aligned for the widest vector loads.
///
/// Sendable because it is written to only by the one run or binding that holds it.
final class Memory: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    let byteCount: Int
    /// The allocation: `base`, or where the guard words begin.
    private let start: UnsafeMutableRawPointer

    /// - Parameter isGuarded: whether it is surrounded by guard words.
    /// - Throws: ``GraftError`` where the machine has no more memory.
    init(byteCount: Int, isGuarded: Bool = false) throws(GraftError) {
        let gap = isGuarded ? GuardedRange.guardByteCount : 0
        guard let start = graft_allocate(max(byteCount, Self.alignment) + 2 * gap) else {
            throw OutOfMemory.error(byteCount)
        }
        (base, self.byteCount, self.start) = (start + gap, byteCount, start)
        if isGuarded { range.mark() }
    }

    deinit { free(start) }

    /// Itself, where it is guarded.
    var range: GuardedRange { GuardedRange(base: base, byteCount: byteCount) }

    /// A cache line, and a 512-bit vector.
    static let alignment = 64

    /// A size brought up to the alignment.
    static func aligned(_ byteCount: Int) -> Int { (byteCount + alignment - 1) / alignment * alignment }
}
