import GraftModel

/// Finds where a member's bytes lie in an archive, which libzip does not tell.
///
/// libzip has read the archive before and says what must be found; whatever does not agree with it in every field counts
/// as not found. Archives of 4 GB and more ("zip64") are not searched.
///
/// Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16.
struct ZipDirectory {
    private let file: FileSlice
    /// The table of contents at the archive's end.
    private let directory: [UInt8]

    /// The end record has 22 bytes and a comment of at most 64 KB after it.
    private static let endRecordByteCount = 22
    private static let largestComment = 65_535

    init(of file: File) throws(GraftError) {
        let file = try FileSlice(file)
        self.file = file
        let tail = Int(min(file.byteCount, UInt64(Self.endRecordByteCount + Self.largestComment)))
        let end = try Self.bytes(of: file, at: file.byteCount - UInt64(tail), count: tail)
        guard let start = end.lastRange(ofSignature: [0x50, 0x4B, 5, 6]), start + Self.endRecordByteCount <= end.count
        else {
            directory = []
            return
        }
        let (count, place) = (end.number(start + 12, 4), UInt64(end.number(start + 16, 4)))
        let isInside = place <= file.byteCount && UInt64(count) <= file.byteCount - place && count <= 1 << 26
        directory = isInside ? try Self.bytes(of: file, at: place, count: count) : []
    }

    /// Where the member's bytes begin, where it is stored as it is.
    func offset(of member: ZipArchive.Member) throws(GraftError) -> UInt64? {
        var position = 0
        while position + 46 <= directory.count, directory[position...].starts(with: [0x50, 0x4B, 1, 2]) {
            let lengths = [28, 30, 32].map { directory.number(position + $0, 2) }
            let next = position + 46 + lengths.reduce(0, +)
            guard next <= directory.count else { return nil }
            let name = directory[position + 46..<position + 46 + lengths[0]]
            let isStored = directory.number(position + 10, 2) == 0 && directory.number(position + 8, 2) & 1 == 0
            let sizes = [directory.number(position + 20, 4), directory.number(position + 24, 4)].map(UInt64.init)
            if name.elementsEqual(member.name.utf8) {
                guard isStored, sizes == [member.storedByteCount, member.byteCount] else { return nil }
                return try dataOffset(UInt64(directory.number(position + 42, 4)), member)
            }
            position = next
        }
        return nil
    }

    /// Behind the member's own header, whose lengths may differ from those in the directory.
    private func dataOffset(_ header: UInt64, _ member: ZipArchive.Member) throws(GraftError) -> UInt64? {
        guard header <= file.byteCount, file.byteCount - header >= 30 else { return nil }
        let bytes = try Self.bytes(of: file, at: header, count: 30)
        let lengths = bytes.number(26, 2) + bytes.number(28, 2)
        guard bytes.starts(with: [0x50, 0x4B, 3, 4]), bytes.number(26, 2) == member.name.utf8.count else { return nil }
        let offset = header + 30 + UInt64(lengths)
        guard offset <= file.byteCount, member.byteCount <= file.byteCount - offset else { return nil }
        return offset
    }

    private static func bytes(of file: FileSlice, at place: UInt64, count: Int) throws(GraftError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try bytes.withUnsafeMutableBufferPointer { (buffer) throws(GraftError) in
            try file.read(at: place, into: UnsafeMutableRawBufferPointer(buffer))
        }
        return bytes
    }
}

extension [UInt8] {
    /// A little-endian number.
    fileprivate func number(_ position: Int, _ byteCount: Int) -> Int {
        self[position..<position + byteCount].reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// Where the last of these four bytes begin.
    fileprivate func lastRange(ofSignature signature: [UInt8]) -> Int? {
        stride(from: count - signature.count, through: 0, by: -1).first { self[$0...].starts(with: signature) }
    }
}
