import Synchronization

/// Memory that packed rows are read into before they are unpacked: as much as the largest of them took.
final class RowScratch: Sendable {
    private let memory = Mutex<[UInt8]>([])

    /// Lends so many bytes, which hold anything; where somebody else has them, others are made.
    func withBytes<Result>(
        _ byteCount: Int, _ body: (UnsafeMutableRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        var bytes = memory.withLock { memory in
            defer { memory = [] }
            return memory
        }
        defer { memory.withLock { $0 = bytes } }
        if bytes.count < byteCount { bytes = [UInt8](repeating: 0, count: byteCount) }
        return try bytes.withUnsafeMutableBytes {
            try body(UnsafeMutableRawBufferPointer(rebasing: $0.prefix(byteCount)))
        }
    }
}
