import Foundation

@testable import GraftFeatures
@testable import GraftFormats
@testable import GraftGraph
@testable import GraftImages
@testable import GraftModel
@testable import GraftSystem
@testable import GraftText

/// A reader of untrusted bytes, and how it is tried on some.
///
/// What a reader refuses is fine. A trap, a sanitizer's report, a second's delay or gigabytes of memory are not.
enum FuzzTarget: String, CaseIterable {
    case hdf5, weights, keras, onnx, configuration, zip, safetensors, checkpoint, npy, shard, image, tokenizer

    /// Reads all that there is to be read.
    func read(_ bytes: [UInt8]) {
        do {
            switch self {
            case .hdf5:
                try Self.visit(HDF5File(reading: FileSlice(bytes, name: "input")).root, depth: 0, &Self.unbounded)
            case .weights: try Self.readWeights(bytes)
            case .keras: try FuzzFile.with(bytes, "input.keras") { _ = try Model.load($0) }
            case .onnx:
                _ = try ONNXFile.read(bytes, path: "input.onnx", sizes: InputShapes(.side(32), wayOut: "a size"))
            case .configuration: try Self.readConfiguration(bytes)
            case .zip: try FuzzFile.with(bytes, "input.zip") { try Self.readArchive($0) }
            case .safetensors: try Self.readSafetensors(bytes)
            case .checkpoint: try FuzzFile.with(bytes, "input.checkpoint") { _ = try CheckpointFile($0).read() }
            case .npy:
                try FuzzFile.with(bytes, "input.npy") { path in
                    _ = try NumpyFile.tensor(contentsOf: path)
                    _ = try? NumpyFile.doubles(contentsOf: path)
                    _ = try? NumpyFile.integers(contentsOf: path)
                }
            case .shard: try FuzzFile.with(bytes, "input.features") { try Self.readShard($0) }
            case .tokenizer: try Self.readTokenizer(bytes)
            case .image: _ = try ImageDecoder(channels: (bytes.last ?? 0) & 1 == 0 ? 3 : 1).decode(bytes)
            }
        } catch {
            // Refused in words: that is what readers of damaged files are for.
            _ = "\(error)"
        }
    }

    nonisolated(unsafe) private static var unbounded = 0

    /// All members, to a depth and a number that no file of weights has: hard links may lead in circles.
    private static func visit(_ group: HDF5Group, depth: Int, _ count: inout Int) throws {
        if depth == 0 { count = 0 }
        for name in ["layer_names", "weight_names", "name", "model_config"] {
            _ = try? group.strings(chunkedAttribute: name)
        }
        for child in group.children() where count < 1_000 {
            count += 1
            if let array = try? group.dataset(child) {
                _ = try? array.tensor()
                _ = try? array.integers()
            } else if depth < 8, let inner = try? group.group(child) {
                try visit(inner, depth: depth + 1, &count)
            }
        }
    }

    private static func readWeights(_ bytes: [UInt8]) throws {
        let model = try Sequential(
            [Conv2D(4, kernelSize: 3), BatchNormalization(), Flatten(), Dense(2)], inputShape: [6, 6, 3])
        try FuzzFile.with(bytes, "input.weights.h5") { _ = try model.loadWeights($0) }
    }

    private static func readConfiguration(_ bytes: [UInt8]) throws {
        let configuration = try Configuration(json: bytes)
        let text = configuration.json()
        let again = try Configuration(json: text).json()
        precondition(again == text, "what was read is not what was written")
        let model = try Model.deserialize(configuration, registry: .standard)
        // Sizes that fit no memory are refused when the model is used, and need not be tried.
        if model.countParameters() < 1 << 20 { _ = try model.lower(batchSize: 1, training: false) }
    }

    private static func readTokenizer(_ bytes: [UInt8]) throws {
        var tokenizer = try Tokenizer(json: bytes)
        for text in ["It's naïve: 你好 😀 [MASK]", String(repeating: "a", count: 200), ""] {
            let ids = try tokenizer.encode(text, pair: "b").ids
            _ = tokenizer.decode(ids + [-1, .max])
        }
        (tokenizer.truncation, tokenizer.padding) = (nil, nil)
        let again = try Tokenizer(json: tokenizer.json)
        precondition(try again.encode("é a").ids == tokenizer.encode("é a").ids, "what it carries is another one")
    }

    private static func readArchive(_ path: String) throws {
        let archive = try ZipArchive(reading: path)
        for member in archive.members {
            _ = try? archive.read(member.name, limit: 1 << 24)
            _ = try? archive.slice(member.name)
        }
    }

    private static func readSafetensors(_ bytes: [UInt8]) throws {
        let file = try SafetensorsFile(bytes: bytes, name: "input")
        for array in file.arrays where array.type.isReadable { _ = try file.tensor(array.name) }
    }

    private static func readShard(_ path: String) throws {
        let shard = try FeatureShard(path: path, rowByteCount: Self.rowByteCount, staysOpen: true)
        let row = UnsafeMutableRawBufferPointer.allocate(byteCount: rowByteCount, alignment: 64)
        defer { row.deallocate() }
        let scratch = RowScratch()
        for number in shard.keys.indices { try? shard.read(row: number, into: row, scratch: scratch) }
    }

    /// The rows of the seed.
    static let rowByteCount = 256
}

/// Bytes as a file, for readers that take a path.
enum FuzzFile {
    private static let folder: String = {
        let root = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
        let path = "\(root)/graft-fuzz-\(getpid())"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        atexit { try? FileManager.default.removeItem(atPath: FuzzFile.folder) }
        return path
    }()

    static func with(_ bytes: [UInt8], _ name: String, _ body: (String) throws -> Void) throws {
        let path = folder + "/" + name
        try Data(bytes).write(to: URL(filePath: path))
        defer { unlink(path) }
        try body(path)
    }
}
