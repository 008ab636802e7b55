import Foundation
import GraftTestSupport
import Testing

@testable import GraftFeatures

/// Files made byte by byte, with checksums that fit: what a table says must hold whoever wrote it.
@Suite struct ShardTableTests {
    private let root = TemporaryFolder()

    /// A file of 130 elements a row, as its parts.
    private struct Parts {
        var magic = "GRAFTFT2"
        var rowByteCount = 520
        var count: Int?
        var start: Int?
        /// The bytes of each row, its encoding, and the size that the table gives it.
        var rows: [(bytes: [UInt8], encoding: Int, byteCount: Int?)] = [
            ([UInt8](repeating: 7, count: 520), 0, nil),
            ([1] + [UInt8](repeating: 0, count: 23) + [0, 0, 0x80, 0x3F], 1, nil),
        ]
        var behind: [UInt8] = []

        var bytes: [UInt8] {
            let content = rows.flatMap(\.bytes)
            var header = Array(magic.utf8)
            for number in [rowByteCount, count ?? rows.count, start ?? 64 + content.count] { header += little(number) }
            header += [UInt8](repeating: 0, count: 64 - header.count)
            let table = rows.enumerated().flatMap { index, row in
                key(index).bytes + little(checksum(row.bytes))
                    + little(row.byteCount ?? row.bytes.count) + little(row.encoding)
            }
            header.replaceSubrange(32..<40, with: little(checksum(header + table)))
            return header + content + table + behind
        }
    }

    @Test func aFileAsTheFormatSaysIsRead() throws {
        let folder = try open(Parts().bytes)
        var row = [Float](repeating: -1, count: 130)
        let second = try #require(folder.location(of: key(1)))
        try row.withUnsafeMutableBytes { try folder.read(second, into: $0) }
        #expect(row == [1] + [Float](repeating: 0, count: 129))
        let first = try #require(folder.location(of: key(0)))
        try row.withUnsafeMutableBytes { try folder.read(first, into: $0) }
        #expect(row == [Float](repeating: Float(bitPattern: 0x0707_0707), count: 130))
    }

    @Test(arguments: [
        Case("the older format") { $0.magic = "GRAFTFT1" },
        Case("another size of rows") { $0.rowByteCount = 524 },
        Case("more rows than entries") { $0.count = 3 },
        Case("fewer rows than entries") { $0.count = 1 },
        Case("no number of rows") { $0.count = -1 },
        Case("more rows than a file may have") { $0.count = 1 << 60 },
        Case("a table behind the end") { $0.start = 1 << 40 },
        Case("a table before the beginning") { $0.start = -8 },
        Case("a table in the header") { ($0.start, $0.count, $0.rows) = (8, 1, []) },
        Case("a table among the rows") { $0.start = 64 + 56 },
        Case("an unknown encoding") { $0.rows[0].encoding = 2 },
        Case("a negative encoding") { $0.rows[0].encoding = -1 },
        Case("a size that the encoding cannot have") { $0.rows[1].encoding = 0 },
        Case("less than a mask") { $0.rows[1].byteCount = 16 },
        Case("half a value") { $0.rows[1].byteCount = 26 },
        Case("a row beyond the last") { $0.rows[1].byteCount = 32 },
        Case("a row that overlaps the next") { ($0.rows[0].encoding, $0.rows[0].byteCount) = (1, 524) },
        Case("a gap between rows") { $0.rows[1].byteCount = 24 },
        Case("a size below zero") { $0.rows[1].byteCount = -28 },
        Case("sizes that overflow") { $0.rows[1].byteCount = .max },
        Case("something behind the table") { $0.behind = [0] },
    ]) private func aFileThatIsOtherwiseIsRemoved(_ wrong: Case) throws {
        var parts = Parts()
        wrong.change(&parts)
        let folder = try open(parts.bytes)
        #expect(folder.location(of: key(0)) == nil && folder.location(of: key(1)) == nil)
        #expect(FeatureFolder.names(in: root.path) == ["lock"])
    }

    @Test(arguments: [
        // The checksums fit; what the mask says does not.
        Case("a mask with a bit more than values") { $0.rows[1].bytes[5] = 1 },
        Case("a mask with a bit less than values") { $0.rows[1].bytes[0] = 0 },
        Case("a bit behind the last element") { ($0.rows[1].bytes[0], $0.rows[1].bytes[16]) = (0, 4) },
    ]) private func aRowThatIsNoneIsNoticedBeforeItIsUsed(_ wrong: Case) throws {
        var parts = Parts()
        wrong.change(&parts)
        let folder = try open(parts.bytes)
        let location = try #require(folder.location(of: key(1)))
        var row = [Float](repeating: 0, count: 130)
        #expect {
            try row.withUnsafeMutableBytes { try folder.read(location, into: $0) }
        } throws: {
            "\($0)".contains("is damaged; run again, and its features are computed again")
        }
        folder.removeDamaged(among: [key(0), key(1)])
        #expect(folder.location(of: key(0)) == nil)
        #expect(FeatureFolder.names(in: root.path) == ["lock"])
    }

    @Test func noByteOfAFileCanChangeUnnoticed() throws {
        let bytes = Parts().bytes
        for position in bytes.indices {
            var changed = bytes
            changed[position] ^= 1 << UInt8(position % 8)
            let folder = try open(changed)
            folder.removeDamaged(among: [key(0), key(1)])
            #expect(FeatureFolder.names(in: root.path) == ["lock"], "byte \(position)")
        }
    }

    @Test func aFileMayEndNowhereButAtItsEnd() throws {
        let bytes = Parts().bytes
        for count in bytes.indices {
            #expect(try open(Array(bytes.prefix(count))).location(of: key(0)) == nil, "\(count) bytes")
        }
    }

    /// The file of the format before: rows at a multiple of 4096, as float32.
    @Test func aFileOfTheFormatBeforeIsRemoved() throws {
        var file = Array("GRAFTFT1".utf8) + little(520) + little(1) + little(4096) + little(0)
        file += [UInt8](repeating: 0, count: 167_936 - file.count + 520)
        #expect(try open(file).location(of: key(0)) == nil)
        #expect(FeatureFolder.names(in: root.path) == ["lock"])
    }

    /// Something wrong with a file.
    private struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let change: @Sendable (inout Parts) -> Void

        init(_ description: String, _ change: @escaping @Sendable (inout Parts) -> Void) {
            (testDescription, self.change) = (description, change)
        }
    }

    private func open(_ bytes: [UInt8]) throws -> FeatureFolder {
        try Data(bytes).write(to: URL(fileURLWithPath: root.path + "/made" + FeatureFolder.shardSuffix))
        return try FeatureFolder(path: root.path, rowByteCount: 520)
    }
}

private func key(_ number: Int) -> FeatureKey { FeatureKey(fingerprint: "image \(number)") }

private func checksum(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { Checksum64.value(of: $0) } }

private func little(_ number: Int) -> [UInt8] { little(UInt64(bitPattern: Int64(number))) }

private func little(_ number: UInt64) -> [UInt8] { withUnsafeBytes(of: number.littleEndian, Array.init) }
