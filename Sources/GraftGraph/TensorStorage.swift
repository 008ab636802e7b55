#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Memory for a tensor's elements, aligned for the widest vector loads.
///
/// Sendable because a tensor writes to it only while it holds the one reference.
package final class TensorStorage: @unchecked Sendable {
    package let buffer: UnsafeMutableBufferPointer<Float>
    private let release: @Sendable (UnsafeMutableRawPointer) -> Void

    /// The alignment of allocated memory in bytes: a cache line, and a 512-bit vector.
    package static let alignment = 64

    /// How many 32-bit words hold this many elements of a type.
    static func floatCount(_ count: Int, _ type: ElementType) -> Int { (count * type.byteCount + 3) / 4 }

    /// Memory for so many numbers; where there is none, the program ends in words.
    package convenience init(count: Int) {
        guard let bytes = Self.allocate(count) else { OutOfMemory.end(Self.byteCount(count)) }
        self.init(bytes, count: count)
    }

    /// Memory for so many numbers, of whose number a file or an argument decides.
    ///
    /// - Throws: `GraftError` with code `backend` where there is none.
    convenience init(checked count: Int) throws(GraftError) {
        guard let bytes = Self.allocate(count) else { throw OutOfMemory.error(Self.byteCount(count)) }
        self.init(bytes, count: count)
    }

    private convenience init(_ bytes: UnsafeMutableRawPointer, count: Int) {
        let start = bytes.bindMemory(to: Float.self, capacity: count)
        self.init(buffer: UnsafeMutableBufferPointer(start: start, count: count)) { free($0) }
    }

    private static func byteCount(_ count: Int) -> Int { max(count, 1) * MemoryLayout<Float>.stride }

    private static func allocate(_ count: Int) -> UnsafeMutableRawPointer? {
        let byteCount = byteCount(count)
        var bytes: UnsafeMutableRawPointer?
        guard posix_memalign(&bytes, LargePages.alignment(forByteCount: byteCount), byteCount) == 0, let bytes else {
            return nil
        }
        LargePages.advise(bytes, byteCount: byteCount)
        return bytes
    }

    /// Zeros. Large arrays are new memory of the system, which is zero without being written to: pages are made ready by
    /// the threads that use them first, and where several do, by all of them.
    package convenience init(zeroCount count: Int) {
        let byteCount = count * MemoryLayout<Float>.stride
        guard let bytes = LargePages.zeros(byteCount: byteCount) else {
            self.init(count: count)
            buffer.initialize(repeating: 0)
            return
        }
        let buffer = UnsafeMutableBufferPointer(start: bytes.bindMemory(to: Float.self, capacity: count), count: count)
        self.init(buffer: buffer) { LargePages.releaseZeros($0, byteCount: byteCount) }
    }

    /// Takes memory that `release` frees.
    private init(
        buffer: UnsafeMutableBufferPointer<Float>, release: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
    ) {
        self.buffer = buffer
        self.release = release
    }

    deinit {
        if let base = buffer.baseAddress { release(UnsafeMutableRawPointer(base)) }
    }
}
