import Foundation
import GraftTestSupport
import Testing

@testable import GraftFormats

@Suite struct ZipArchiveTests {
    static let text = Array("graft ".utf8) + (0..<5000).map { UInt8(truncatingIfNeeded: $0 * $0 / 7) }

    /// An archive of a stored, a packed and an empty member and one from a file.
    private func writeArchive(_ folder: String) throws -> String {
        try write(Self.text, to: folder + "/content")
        try ZipWriter.write(
            [
                ZipWriter.Member("stored", bytes: Self.text),
                ZipWriter.Member("a/packed-ß", bytes: Self.text, packed: true),
                ZipWriter.Member("empty", bytes: []),
                ZipWriter.Member("file", file: folder + "/content"),
            ], to: folder + "/new.zip")
        return folder + "/new.zip"
    }

    @Test func whatIsWrittenIsReadBack() throws {
        try withTemporaryFolder { folder in
            let archive = try ZipArchive(reading: writeArchive(folder))
            #expect(archive.members.map(\.name) == ["stored", "a/packed-ß", "empty", "file"])
            for name in ["stored", "a/packed-ß", "file"] {
                #expect(try archive.read(name, limit: 10_000) == Self.text, "\(name)")
            }
            #expect(try archive.read("empty", limit: 0) == [])
            #expect(archive.member("stored")?.storedByteCount == UInt64(Self.text.count))
            #expect((archive.member("a/packed-ß")?.storedByteCount ?? .max) < UInt64(Self.text.count))
            try archive.extract("file", to: folder + "/out")
            #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/out")) == Data(Self.text))
            #expect(try namesInFolder(folder) == ["content", "new.zip", "out"])
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
            #expect(graftError { try archive.extract("file", to: folder + "/content") }?.code == .file)

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
