import Foundation
import GraftGraph

/// A file of feature rows: which images they are of, and their numbers.
///
///     offset 0     "GRAFTFT1", then as little-endian 64-bit numbers: bytes a row, rows, room for rows,
///                  checksum of the header and the entries
///     offset 64    an entry for each row that there is room for: 32 bytes of key, 8 bytes of checksum of the row
///     then         the rows, beginning at a multiple of 4096
///
/// A shard is written under a temporary name and renamed when complete, so that whoever finds one finds a whole one; a
/// machine that loses power may still leave a damaged file, which the checksums tell.
final class FeatureShard: Sendable {
    let path: String
    let keys: [FeatureKey]
    /// The open file, or `nil` where it is opened for each read.
    private let file: File?
    private let layout: Layout
    private let checksums: [UInt64]

    /// Where things stand in the file.
    struct Layout: Sendable {
        let rowByteCount: Int
        let capacity: Int

        static let headerByteCount = 64
        static let entryByteCount = FeatureKey.byteCount + 8
        static let magic = Array("GRAFTFT1".utf8)

        /// Room for about 32 MB of rows, so that an interrupted pass loses little: 4,096 rows at most, 1 at least.
        init(rowByteCount: Int) {
            self.init(rowByteCount: rowByteCount, capacity: min(max(32_000_000 / max(rowByteCount, 1), 1), 4096))
        }

        init(rowByteCount: Int, capacity: Int) { (self.rowByteCount, self.capacity) = (rowByteCount, capacity) }

        var tableByteCount: Int { Self.headerByteCount + capacity * Self.entryByteCount }
        var firstRow: Int { (tableByteCount + 4095) / 4096 * 4096 }
        func position(ofRow row: Int) -> Int { firstRow + row * rowByteCount }
    }

    /// Opens a shard and checks its size and its table, not yet its rows.
    ///
    /// - Parameter staysOpen: whether the file stays open; a process may have only so many open files.
    /// - Throws: `GraftError` with code `format` where it is damaged or its rows have another size.
    init(path: String, rowByteCount: Int, staysOpen: Bool) throws {
        let file = try File.reading(path)
        self.path = path
        self.file = staysOpen ? file : nil
        let damaged = GraftError(.format, "\(path) is not a whole file of features")
        var header = [UInt8](repeating: 0, count: Layout.headerByteCount)
        try Self.read(file, into: &header, at: 0)
        let numbers = (0..<4).map { Self.number(in: header, at: 8 + 8 * $0) }
        let capacity = Layout(rowByteCount: rowByteCount).capacity
        guard Array(header[0..<8]) == Layout.magic, numbers[0] == UInt64(rowByteCount),
            numbers[2] == UInt64(capacity), numbers[1] <= UInt64(capacity)
        else { throw damaged }
        let (layout, count) = (Layout(rowByteCount: rowByteCount, capacity: capacity), Int(numbers[1]))
        guard file.byteCount == layout.position(ofRow: count) else { throw damaged }

        var table = [UInt8](repeating: 0, count: layout.tableByteCount)
        try Self.read(file, into: &table, at: 0)
        guard Self.checksum(ofTable: table) == numbers[3] else { throw damaged }
        let entries = (0..<count).map { Layout.headerByteCount + $0 * Layout.entryByteCount }
        keys = entries.map { FeatureKey(bytes: table[$0..<($0 + FeatureKey.byteCount)]) }
        checksums = entries.map { Self.number(in: table, at: $0 + FeatureKey.byteCount) }
        self.layout = layout
    }

    /// Reads a row's numbers.
    ///
    /// - Precondition: the buffer has a row's size.
    func read(row: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
        precondition(buffer.count == layout.rowByteCount, "a row has \(layout.rowByteCount) bytes, not \(buffer.count)")
        try (file ?? File.reading(path)).read(into: buffer, at: layout.position(ofRow: row))
    }

    /// Whether a row's numbers are those that were written.
    func isIntact(row: Int, scratch: UnsafeMutableRawBufferPointer) -> Bool {
        do {
            try read(row: row, into: scratch)
            return Checksum.value(of: UnsafeRawBufferPointer(scratch)) == checksums[row]
        } catch { return false }
    }

    private static func read(_ file: File, into bytes: inout [UInt8], at position: Int) throws {
        try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: position) }
    }

    static func number(in bytes: [UInt8], at position: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(bytes[position + $1]) << UInt64(8 * $1) }
    }

    /// The checksum of header and entries, with the place of the checksum itself left out.
    static func checksum(ofTable table: [UInt8]) -> UInt64 {
        var table = table
        for index in 32..<40 { table[index] = 0 }
        return table.withUnsafeBytes { Checksum.value(of: $0) }
    }
}
