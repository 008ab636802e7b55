import Foundation
import GraftGraph

/// A file of feature rows: which images they are of, and their numbers; ``ShardTable`` says what is where.
///
/// A shard is written under a temporary name and renamed when complete, so that any that is found is whole; a
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
        let file = try File(reading: path)
        self.path = path
        self.file = staysOpen ? file : nil
        table = try ShardTable(of: file, rowByteCount: rowByteCount)
    }

    /// The images in the order of their rows.
    var keys: [FeatureKey] { table.entries.map(\.key) }

    /// How a row is in the file.
    func entry(row: Int) -> ShardTable.Entry { table.entries[row] }

    /// Reads a row's numbers, each of them; the row is checked against its checksum.
    ///
    /// - Precondition: the buffer has the size of a row that is not packed.
    /// - Throws: `GraftError` with code `format` where the row is not the one that was written.
    func read(row: Int, into buffer: UnsafeMutableRawBufferPointer, scratch: RowScratch) throws {
        precondition(buffer.count == table.rowByteCount, "a row has \(table.rowByteCount) bytes, not \(buffer.count)")
        let entry = table.entries[row]
        try scratch.withBytes(entry.byteCount) { packed in
            try readBytes(row: row, into: packed)
            guard entry.encoding.unpack(UnsafeRawBufferPointer(packed), into: buffer) else { throw damaged }
        }
    }

    /// Reads a row as it is in the file, and checks it.
    ///
    /// - Precondition: the buffer has the size of the row's entry.
    /// - Throws: `GraftError` with code `format` where the row is not the one that was written.
    func readPacked(row: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
        try readBytes(row: row, into: buffer)
        let encoding = table.entries[row].encoding
        guard encoding.fits(UnsafeRawBufferPointer(buffer), elementCount: table.rowByteCount / 4) else { throw damaged }
    }

    private func readBytes(row: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
        let entry = table.entries[row]
        try (file ?? File(reading: path)).read(into: buffer, at: entry.position)
        guard Checksum64.value(of: UnsafeRawBufferPointer(buffer)) == entry.checksum else { throw damaged }
    }

    private var damaged: GraftError {
        GraftError(.format, "\(path) is damaged; run again, and its features are computed again")
    }
}
