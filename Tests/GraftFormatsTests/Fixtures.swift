import Foundation
import GraftGraph

/// Files that h5py, numpy and Keras wrote: see Tests/Keras/formats.py.
enum Fixture {
    /// The path of a committed file.
    static func path(_ name: String) -> String {
        Bundle.module.resourceURL?.appendingPathComponent("Fixtures/\(name)").path ?? "Fixtures/\(name)"
    }

    static func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
    }

    /// Array `k` of a file, as the script's `numbers` computes it.
    static func numbers(_ shape: Shape, array k: Int = 0) -> [Float] {
        (0..<shape.elementCount).map { Float((37 * $0 + 11 * k) % 101 - 50) / 64 }
    }
}

/// A folder that is there while its closure runs.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("graft-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.path)
}

func write(_ bytes: [UInt8], to path: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

func namesInFolder(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
}

/// The error that a call throws; a failure of the test where it throws none, or of another type.
func graftError(_ body: () throws -> Void) -> GraftError? {
    do {
        try body()
        return nil
    } catch {
        return error as? GraftError
    }
}
