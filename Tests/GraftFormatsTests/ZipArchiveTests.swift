import Foundation
import GraftTestSupport
import Testing

@testable import GraftFormats

@Suite struct ZipArchiveTests {
    static let text = Array("graft ".utf8) + (0..<5000).map { UInt8(truncatingIfNeeded: $0 * $0 / 7) }

    /// An archive of a stored, a packed and an empty member and one in several pieces.
    private func writeArchive(_ folder: String) throws -> String {
        let pieces = ByteStream([
            .bytes(Array(Self.text.prefix(7))), .bytes([]), .zeros(3), .integers([1, -1]), .floats(Tensor(2)),
        ])
        try ZipWriter.write(
            [
                ZipWriter.Member("stored", bytes: Self.text),
                ZipWriter.Member("a/packed-ß", bytes: Self.text, packed: true),
                ZipWriter.Member("empty", bytes: []),
                ZipWriter.Member("pieces", pieces),
            ], to: folder + "/new.zip")
        return folder + "/new.zip"
    }

    @Test func whatIsWrittenIsReadBack() throws {
        try withTemporaryFolder { folder in
            let archive = try ZipArchive(reading: writeArchive(folder))
            #expect(archive.members.map(\.name) == ["stored", "a/packed-ß", "empty", "pieces"])
            for name in ["stored", "a/packed-ß"] {
                #expect(try archive.read(name, limit: 10_000) == Self.text, "\(name)")
            }
            #expect(try archive.read("empty", limit: 0) == [])
            #expect(archive.member("stored")?.storedByteCount == UInt64(Self.text.count))
            #expect((archive.member("a/packed-ß")?.storedByteCount ?? .max) < UInt64(Self.text.count))
            let numbers: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 255, count: 8) + [0, 0, 0, 64]
            #expect(try archive.read("pieces", limit: 100) == Array(Self.text[..<7]) + [0, 0, 0] + numbers)
            try archive.extract("stored", to: folder + "/out")
            #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/out")) == Data(Self.text))
            #expect(try namesInFolder(folder) == ["new.zip", "out"])
        }
    }

    @Test func storedMembersAreFoundWhereTheyLie() throws {
        try withTemporaryFolder { folder in
            let archive = try ZipArchive(reading: writeArchive(folder))
            let slice = try #require(try archive.slice("stored"))
            #expect(slice.byteCount == UInt64(Self.text.count))
            #expect(try slice.head(10_000) == Self.text)
            #expect(try archive.slice("empty")?.head(10) == [])
            #expect(try archive.slice("a/packed-ß") == nil)
            // Python's zipfile writes other flags and extra fields.
            let python = try ZipArchive(reading: Fixture.path("functional.keras"))
            let weights = try #require(try python.slice("model.weights.h5"))
            #expect(try weights.head(1 << 20) == python.read("model.weights.h5", limit: 1 << 20))
        }
    }

    @Test func limitsHold() throws {
        try withTemporaryFolder { folder in
            let archive = try ZipArchive(reading: writeArchive(folder))
            let tooLarge = graftError { _ = try archive.read("stored", limit: 100) }
            #expect(
                tooLarge?.message.hasSuffix(
                    "the member stored declares \(Self.text.count) bytes; at most 100 make sense") == true)
            #expect(
                graftError { _ = try archive.read("missing", limit: 100) }?.message.contains(
                    "has no member missing; it has stored") == true)
            #expect(graftError { try archive.extract("stored", to: folder + "/new.zip") }?.code == .file)

            let bomb = folder + "/bomb.zip"
            try ZipWriter.write(
                [ZipWriter.Member("zeros", bytes: [UInt8](repeating: 0, count: 4 << 20), packed: true)], to: bomb)
            let error = graftError { _ = try ZipArchive(reading: bomb).read("zeros", limit: 1 << 30) }
            #expect(error?.message.contains("a decompression bomb") == true)
            #expect(
                graftError { try ZipArchive(reading: bomb).extract("zeros", to: folder + "/zeros") }?.code == .format)
            #expect(!FileManager.default.fileExists(atPath: folder + "/zeros"))
        }
    }

    /// The writer collects a megabyte at a time and goes back to write each member's header.
    @Test func membersOfSeveralMegabytesAreWrittenWhole() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/large.zip"
            let contents = [(1 << 20) - 31, 1 << 20, 3_000_001].map { count in
                (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
            }
            try ZipWriter.write(contents.enumerated().map { ZipWriter.Member("\($0)", bytes: $1) }, to: path)
            let archive = try ZipArchive(reading: path)
            for (number, content) in contents.enumerated() {
                #expect(try archive.read("\(number)", limit: 4 << 20) == content, "member \(number)")
            }
        }
    }

    @Test func anArchiveThatExistsStays() throws {
        try withTemporaryFolder { folder in
            let path = try writeArchive(folder)
            let error = graftError { try ZipWriter.write([ZipWriter.Member("new", bytes: [1])], to: path) }
            #expect(error?.code == .file)
            #expect(try ZipArchive(reading: path).members.count == 4)
        }
    }

    @Test func filesOfOtherKindsAreToldApart() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/file.zip"
            func message() -> String { graftError { _ = try ZipArchive(reading: path) }?.message ?? "no error" }
            #expect(message().contains("no such file"))
            try write([], to: path)
            #expect(message().contains("is empty"))
            try write(Array("<html>".utf8), to: path)
            #expect(message().contains("is not a zip archive: it begins with \"<html>\""))
            let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: writeArchive(folder))))
            try write(Array(bytes.dropLast(30)), to: path)
            #expect(message().contains("is cut short or damaged"))
        }
    }

    @Test func flippedBytesAreNoticedByTheChecksum() throws {
        try withTemporaryFolder { folder in
            let path = try writeArchive(folder)
            var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
            let start = try #require(bytes.firstRange(of: Self.text)?.lowerBound)
            bytes[start + 1000] ^= 1
            try write(bytes, to: path)
            let error = graftError { _ = try ZipArchive(reading: path).read("stored", limit: 10_000) }
            #expect(
                error?.message.contains("the member stored is damaged (libzip: CRC error)") == true,
                "\(error?.message ?? "")")
        }
    }

    @Test func twoMembersOfOneNameAreRefused() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/twins.zip"
            try ZipWriter.write([ZipWriter.Member("one", bytes: [1]), ZipWriter.Member("two", bytes: [2])], to: path)
            var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
            for range in bytes.ranges(of: Array("two".utf8)) { bytes.replaceSubrange(range, with: Array("one".utf8)) }
            try write(bytes, to: path)
            let error = graftError { _ = try ZipArchive(reading: path) }
            #expect(error?.message.hasSuffix("it has two members called one") == true)
        }
    }
}
