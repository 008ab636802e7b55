import Foundation
import GraftGraph

/// Writes one shard under a temporary name, row by row, and gives it its name when it is complete.
///
/// Used by one thread. A writer that goes without `finish` leaves no file.
final class FeatureShardWriter {
    private let layout: FeatureShard.Layout
    private let file: File
    private let name: String
    private var table: [UInt8]
    private(set) var count = 0
    private var isFinished = false

    /// Begins a shard in a folder.
    init(folder: String, rowByteCount: Int) throws {
        layout = FeatureShard.Layout(rowByteCount: rowByteCount)
        name = "\(folder)/\(UUID().uuidString)"
        file = try File.creating(name + FeatureFolder.partialSuffix)
        // Held while this writer lives: whoever cleans up knows the file of a process that is gone by its free lock.
        _ = try file.lock(exclusively: true, waiting: false)
        table = [UInt8](repeating: 0, count: layout.tableByteCount)
    }

    deinit { if !isFinished { unlink(file.path) } }

    var isFull: Bool { count == layout.capacity }

    /// Adds a row.
    ///
    /// - Precondition: there is room, and the row has its size.
    func append(_ row: UnsafeRawBufferPointer, key: FeatureKey) throws {
        precondition(!isFull && row.count == layout.rowByteCount, "a shard takes \(layout.capacity) rows of one size")
        try file.write(row, at: layout.position(ofRow: count))
        let entry = FeatureShard.Layout.headerByteCount + count * FeatureShard.Layout.entryByteCount
        table.replaceSubrange(entry..<(entry + FeatureKey.byteCount), with: key.bytes)
        put(Checksum.value(of: row), at: entry + FeatureKey.byteCount)
        count += 1
    }

    /// Writes the table and renames the file.
    ///
    /// - Returns: the shard's path.
    func finish() throws -> String {
        table.replaceSubrange(0..<8, with: FeatureShard.Layout.magic)
        for (index, number) in [layout.rowByteCount, count, layout.capacity].enumerated() {
            put(UInt64(number), at: 8 + 8 * index)
        }
        put(FeatureShard.checksum(ofTable: table), at: 32)
        try table.withUnsafeBytes { try file.write($0, at: 0) }
        let path = name + FeatureFolder.shardSuffix
        guard rename(file.path, path) == 0 else { throw File.failure("cannot rename", file.path, errno) }
        isFinished = true
        return path
    }

    private func put(_ number: UInt64, at position: Int) {
        for index in 0..<8 { table[position + index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index)) }
    }
}
