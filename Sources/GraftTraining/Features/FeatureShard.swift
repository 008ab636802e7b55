import Foundation
import GraftGraph

/// A file of feature rows: which images they are of, and their numbers; ``ShardTable`` says what stands where.
///
/// A shard is written under a temporary name and renamed when complete, so that whoever finds one finds a whole one; a
/// machine that loses power may still leave a damaged file, which the checksums tell.
final class FeatureShard: Sendable {
    let path: String
    /// The open file, or `nil` where it is opened for each read.
    private let file: File?
    private let table: ShardTable

    /// Opens a shard and checks its size and its table, not yet its rows.
    ///
    /// - Parameter staysOpen: whether the file stays open; a process may have only so many open files.
    /// - Throws: `GraftError` with code `format` where it is damaged or its rows have another size.
    init(path: String, rowByteCount: Int, staysOpen: Bool) throws {
        let file = try File.reading(path)
        self.path = path
        self.file = staysOpen ? file : nil
        table = try ShardTable(of: file, rowByteCount: rowByteCount)
    }

    /// The images in the order of their rows.
    var keys: [FeatureKey] { table.entries.map(\.key) }

    /// Reads a row's numbers, each of them; the row is checked against its checksum.
    ///
    /// - Precondition: the buffer has the size of a row that is not packed.
    /// - Throws: `GraftError` with code `format` where the row is not the one that was written.
    func read(row: Int, into buffer: UnsafeMutableRawBufferPointer, scratch: RowScratch) throws {
        precondition(buffer.count == table.rowByteCount, "a row has \(table.rowByteCount) bytes, not \(buffer.count)")
        let entry = table.entries[row]
        let isIntact = try scratch.withBytes(entry.byteCount) { packed in
            try (file ?? File.reading(path)).read(into: packed, at: entry.position)
            let packed = UnsafeRawBufferPointer(packed)
            return Checksum.value(of: packed) == entry.checksum && entry.encoding.unpack(packed, into: buffer)
        }
        guard isIntact else {
            throw GraftError(
                .format, "\(path) is damaged; run again, and its features are computed again")
        }
    }
}
