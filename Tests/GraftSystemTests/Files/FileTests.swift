import Foundation
import GraftTestSupport
import Testing

@testable import GraftSystem

/// What is no file is refused before anything is read of it, and nobody waits for it.
@Suite(.timeLimit(.minutes(10))) struct FileTests {
    private let folder = GraftTestSupport.TemporaryFolder()

    @Test func aPipeIsRefusedAtOnce() throws {
        let path = folder.path + "/pipe"
        #expect(mkfifo(path, 0o600) == 0)
        expectRefusal(of: path, "pipe")
    }

    @Test func foldersAndDevicesAreRefused() {
        expectRefusal(of: folder.path, "folder", ofReadingAlone: true)
        expectRefusal(of: "/dev/zero", "device")
    }

    @Test func aFileIsReadToItsEnd() throws {
        let path = folder.path + "/file"
        try Data([1, 2, 3]).write(to: URL(filePath: path))
        #expect(try File(reading: path).read(upTo: 10) == [1, 2, 3])
        #expect(try FileHead(path: path, count: 2).bytes == [1, 2])
    }

    private func expectRefusal(of path: String, _ kind: String, ofReadingAlone: Bool = false) {
        let message = "\(path) is not a file but a \(kind); give the path of a file"
        var openings: [() throws -> Void] = [
            { _ = try File(reading: path) }, { _ = try FileHead(path: path, count: 8) },
        ]
        if !ofReadingAlone { openings += [{ _ = try File(ensuring: path) }, { _ = try File(filling: path) }] }
        for open in openings { #expect(throws: GraftError.self) { try open() } }
        for open in openings {
            do { try open() } catch { #expect((error as? GraftError)?.message == message) }
        }
    }
}
