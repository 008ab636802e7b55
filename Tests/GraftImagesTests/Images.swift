import Foundation
import GraftGraph
import GraftImages
import Testing

/// The committed pictures and what they must decode to; `Tests/Keras/images.py` makes them.
struct ImageCase: Decodable, Sendable, CustomTestStringConvertible {
    let file: String
    let height: Int
    let width: Int
    let tolerance: Int
    let pixels: Data

    var testDescription: String { file }
    var bytes: [UInt8] { Fixtures.bytes("pictures/\(file)") }

    private struct Collection: Decodable { let cases: [ImageCase] }

    static let all = Fixtures.decoded(Collection.self, "pictures.json").cases

    static func named(_ file: String) throws -> ImageCase { try #require(all.first { $0.file == file }) }
}

/// Files beside the tests. A missing one is empty, and the test that reads it fails by its own claim.
enum Fixtures {
    static func url(_ name: String) -> URL {
        Bundle.module.bundleURL.appendingPathComponent("Fixtures").appendingPathComponent(name)
    }

    static func bytes(_ name: String) -> [UInt8] { (try? Data(contentsOf: url(name))).map { [UInt8]($0) } ?? [] }

    static func decoded<Value: Decodable>(_ type: Value.Type, _ name: String) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(contentsOf: url(name)))
        } catch {
            preconditionFailure("the fixture \(name) cannot be read: \(error)")
        }
    }
}

/// A folder of its own that is removed at the end.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("graft-images-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and the folders above it.
    @discardableResult
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let url = URL(fileURLWithPath: path).appendingPathComponent(name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
        return url.path
    }

    /// Writes tiny pictures that differ from one another.
    func writeImages(_ names: [String]) throws {
        for (number, name) in names.enumerated() {
            try write(bitmap(width: 4, height: 3) { UInt8(truncatingIfNeeded: $0 &* 7 &+ number &* 13) }, to: name)
        }
    }

    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
    }

    func makeLink(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: "\(path)/\(name)", withDestinationPath: target)
    }
}

/// A BMP file of 24 bits a pixel; `value` gives its bytes in file order.
func bitmap(width: Int, height: Int, value: (Int) -> UInt8) -> [UInt8] {
    let rowByteCount = (width * 3 + 3) / 4 * 4
    func little(_ number: Int, _ byteCount: Int) -> [UInt8] {
        (0..<byteCount).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
    var bytes = Array("BM".utf8) + little(54 + rowByteCount * height, 4) + little(0, 4) + little(54, 4)
    bytes += little(40, 4) + little(width, 4) + little(height, 4) + little(1, 2) + little(24, 2)
    bytes += [UInt8](repeating: 0, count: 24)
    return bytes + (0..<(rowByteCount * height)).map(value)
}

/// Images that are not in the repository, looked for beside the package, or where `GRAFT_SHARED` says.
enum SharedImages {
    static let folder: String = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        return ProcessInfo.processInfo.environment["GRAFT_SHARED"] ?? "\(root)/../shared"
    }()
}

/// The photos among them; `nil` where they are not there.
let sharedPhotos: String? = {
    let photos = SharedImages.folder + "/images/cats-and-dogs"
    return FileManager.default.fileExists(atPath: photos) ? photos : nil
}()
