import Foundation
import GraftGraph

/// Writes one shard under a temporary name, row by row, each packed, and gives it its name when it is complete.
///
/// Used by one thread. A writer that goes without `finish` leaves no file.
final class FeatureShardWriter {
    /// A shard with more bytes is not begun, unless one row has more.
    static let byteLimit = 32_000_000

    private let rowLimit: Int
    private let packer: RowPacker
    private let file: File
    private let name: String
    private var table: ShardTable
    private var isFinished = false

    /// Begins a shard in a folder.
    ///
    /// - Parameter rowLimit: how many rows it takes.
    init(folder: String, rowByteCount: Int, rowLimit: Int) throws {
        self.rowLimit = min(rowLimit, ShardTable.rowLimit)
        packer = RowPacker(elementCount: rowByteCount / 4)
        table = ShardTable(rowByteCount: rowByteCount)
        name = "\(folder)/\(UUID().uuidString)"
        file = try File(creating: name + FeatureFolder.partialSuffix)
        // Held while this writer lives: a file whose lock is free was left by a process that is gone.
        _ = try file.lock(exclusively: true, waiting: false)
    }

    deinit { if !isFinished { unlink(file.path) } }

    /// Whether another row, which may be one that does not get smaller, has to go to another shard.
    var isFull: Bool {
        guard !table.entries.isEmpty else { return false }
        return table.entries.count >= rowLimit || table.end + table.rowByteCount > Self.byteLimit
    }

    /// Adds a row.
    ///
    /// - Precondition: there is room, and the row has its size.
    func append(_ row: UnsafeRawBufferPointer, key: FeatureKey) throws {
        precondition(!isFull, "the shard has its \(table.entries.count) rows")
        let (encoding, bytes) = packer.pack(row)
        try file.write(bytes, at: table.end)
        table.append(key: key, checksum: Checksum64.value(of: bytes), byteCount: bytes.count, encoding: encoding)
    }

    /// Writes the table and renames the file.
    ///
    /// - Returns: the shard's path.
    func finish() throws -> String {
        try table.write(to: file)
        let path = name + FeatureFolder.shardSuffix
        guard rename(file.path, path) == 0 else { throw FileFailure.error("cannot rename \(file.path)") }
        isFinished = true
        return path
    }
}
