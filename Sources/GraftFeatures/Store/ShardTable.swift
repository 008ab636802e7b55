import GraftGraph

/// What a file of feature rows holds, and where.
///
///     offset 0     "GRAFTFT2", then as little-endian 64-bit numbers: bytes of a row that is not packed, rows,
///                  offset of the table, checksum of the header and the table; the rest is zero
///     offset 64    the rows, each packed (see ``RowEncoding``), one after the other
///     then         the table, up to the end: for each row 32 bytes of key, then as little-endian 64-bit numbers the
///                  checksum of its packed bytes, their number, and the encoding
///
/// Rows have no offsets of their own, so that none can overlap: each begins where the one before ends, and the last one ends
/// where the table begins.
struct ShardTable: Sendable {
    /// A row of the file.
    struct Entry: Sendable {
        let key: FeatureKey
        let checksum: UInt64
        let position: Int
        let byteCount: Int
        let encoding: RowEncoding
    }

    static let headerByteCount = 64
    static let entryByteCount = FeatureKey.byteCount + 24
    static let magic = Array("GRAFTFT2".utf8)
    /// A file with more rows is none of ours: what it says must not decide how much memory its table takes.
    static let rowLimit = 4096
    private static let checksumPosition = 32

    /// The bytes of a row that is not packed.
    let rowByteCount: Int
    private(set) var entries: [Entry] = []
    /// Where the rows end.
    private(set) var end = Self.headerByteCount

    /// The table of a file without rows.
    init(rowByteCount: Int) { self.rowByteCount = rowByteCount }

    /// Adds a row after the others.
    mutating func append(key: FeatureKey, checksum: UInt64, byteCount: Int, encoding: RowEncoding) {
        entries.append(
            Entry(key: key, checksum: checksum, position: end, byteCount: byteCount, encoding: encoding))
        end += byteCount
    }
}

// MARK: In the file

extension ShardTable {
    /// Writes header and table around the rows.
    func write(to file: File) throws {
        var header = Self.magic
        for number in [rowByteCount, entries.count, end, 0] { header.append(number: UInt64(number)) }
        header += [UInt8](repeating: 0, count: Self.headerByteCount - header.count)
        var table: [UInt8] = []
        table.reserveCapacity(entries.count * Self.entryByteCount)
        for entry in entries {
            table += entry.key.bytes
            table.append(number: entry.checksum)
            table.append(number: UInt64(entry.byteCount))
            table.append(number: entry.encoding.rawValue)
        }
        var sum: [UInt8] = []
        sum.append(number: Self.checksum(header, table))
        header.replaceSubrange(Self.checksumPosition..<(Self.checksumPosition + 8), with: sum)
        try table.withUnsafeBytes { try file.write($0, at: end) }
        try header.withUnsafeBytes { try file.write($0, at: 0) }
    }

    /// Reads and checks a file's header and table, not yet its rows.
    ///
    /// - Throws: `GraftError` with code `format` where something is not as this program writes it, or where rows have
    ///   another size.
    init(of file: File, rowByteCount: Int) throws {
        let damaged = GraftError(.format, "\(file.path) is not a whole file of features")
        let header = try file.bytes(Self.headerByteCount, at: 0)
        let numbers = (0..<4).map { header.number(at: 8 + 8 * $0) }
        guard Array(header[..<8]) == Self.magic, numbers[0] == UInt64(rowByteCount),
            numbers[1] <= UInt64(Self.rowLimit), let start = Int(exactly: numbers[2]), start <= file.byteCount,
            file.byteCount - start == Int(numbers[1]) * Self.entryByteCount
        else { throw damaged }
        let table = try file.bytes(file.byteCount - start, at: start)
        var cleared = header
        cleared.replaceSubrange(
            Self.checksumPosition..<(Self.checksumPosition + 8), with: [UInt8](repeating: 0, count: 8))
        guard Self.checksum(cleared, table) == numbers[3] else { throw damaged }

        self.init(rowByteCount: rowByteCount)
        for entry in stride(from: 0, to: table.count, by: Self.entryByteCount) {
            let fields = entry + FeatureKey.byteCount
            guard let byteCount = Int(exactly: table.number(at: fields + 8)), byteCount <= start - end,
                let encoding = RowEncoding(rawValue: table.number(at: fields + 16)),
                encoding.valueCount(byteCount: byteCount, elementCount: rowByteCount / 4) != nil
            else { throw damaged }
            append(
                key: FeatureKey(bytes: table[entry..<fields]), checksum: table.number(at: fields),
                byteCount: byteCount, encoding: encoding)
        }
        guard end == start else { throw damaged }
    }

    private static func checksum(_ header: [UInt8], _ table: [UInt8]) -> UInt64 {
        (header + table).withUnsafeBytes { Checksum64.value(of: $0) }
    }
}

extension File {
    fileprivate func bytes(_ count: Int, at position: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try bytes.withUnsafeMutableBytes { try read(into: $0, at: position) }
        return bytes
    }
}

extension [UInt8] {
    fileprivate mutating func append(number: UInt64) {
        for index in 0..<8 { append(UInt8(truncatingIfNeeded: number >> UInt64(8 * index))) }
    }

    fileprivate func number(at position: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(self[position + $1]) << UInt64(8 * $1) }
    }
}
