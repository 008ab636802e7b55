import Foundation
import GraftTestSupport
import Testing

@testable import GraftSystem

@Suite struct TemporaryFileTests {
    private let folder = GraftTestSupport.TemporaryFolder()

    private var path: String { folder.path + "/model.keras" }
    private var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder.path))?.sorted() ?? [] }

    /// A process that is killed while it writes leaves a temporary file; whoever writes next removes it.
    @Test func whatAKilledProcessLeftIsRemoved() async throws {
        for _ in 0..<3 {
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
                try AtomicFile.write(to: path) { (temporary) throws(GraftError) in
                    let file = try File(filling: temporary)
                    let bytes = [UInt8](repeating: 1, count: 1000)
                    try bytes.withUnsafeBufferPointer { (bytes) throws(GraftError) in
                        try file.write(UnsafeRawBufferPointer(bytes))
                    }
                    kill(getpid(), SIGKILL)
                }
            }
        }
        #expect(names.count == 3 && names.allSatisfy { $0.hasPrefix(".model.keras.") && $0.hasSuffix(".partial") })
        AtomicFile.removePartials(of: folder.path + "/other.keras")
        #expect(names.count == 3)
        AtomicFile.removePartials(of: path)
        #expect(names == [])
    }

    @Test func whatIsBeingWrittenStays() throws {
        try AtomicFile.write(to: path) { (temporary) throws(GraftError) in
            AtomicFile.removePartials(of: path)
            AtomicFile.removePartials(in: folder.path)
            #expect(FileManager.default.fileExists(atPath: temporary))
        }
        #expect(names == ["model.keras"])
    }

    /// Numbers of processes come again, and in a container they say nothing.
    @Test func aProcessOfTheSameNumberIsNoOwner() throws {
        let left = "\(folder.path)/.model.keras.\(getpid())-abc.partial"
        try Data([1]).write(to: URL(filePath: left))
        // Not ones of these.
        for name in [".model.keras.partial", ".model.keras.x-1.partial", "model.keras.1-1.partial"] {
            try Data([1]).write(to: URL(filePath: folder.path + "/" + name))
        }
        AtomicFile.removePartials(of: path)
        #expect(names == [".model.keras.partial", ".model.keras.x-1.partial", "model.keras.1-1.partial"])
    }
}
