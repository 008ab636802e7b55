import Foundation
import GraftTestSupport
import Testing

@testable import GraftFormats

/// Files with seeded damage must load or throw: never trap, never hang, never half-load.
@Suite(.timeLimit(.minutes(10))) struct DamagedFilesTests {
    /// The number of damaged copies of each file.
    static let count = Int(ProcessInfo.processInfo.environment["GRAFT_DAMAGED_FILES"] ?? "") ?? 150

    @Test(arguments: ["functional-legacy.h5", "whole-model.h5", "datasets.h5", "newest.h5", "functional.weights.h5"])
    func damagedHDF5FilesLoadOrThrow(name: String) throws {
        let original = try Fixture.bytes(name)
        try withTemporaryFolder { folder in
            for seed in 0..<UInt64(Self.count) {
                var random = SplitMix(seed: seed)
                let path = folder + "/damaged.h5"
                try write(original.damaged(using: &random), to: path)
                readEverything(path)
                let model = try TestModels.functional()
                let error = graftError { try model.loadWeights(path) }
                #expect(error == nil || model.variables.count { $0.isInitialized } == 0, "seed \(seed)")
            }
        }
    }

    @Test(arguments: ["whole-model.h5", "keras2/nested.h5", "keras2/slices.h5", "keras2/arithmetic.h5"])
    func damagedWholeModelsLoadOrThrow(name: String) throws {
        let original = try Fixture.bytes(name)
        try withTemporaryFolder { folder in
            for seed in 0..<UInt64(Self.count) {
                var random = SplitMix(seed: seed)
                let path = folder + "/damaged.h5"
                try write(original.damaged(using: &random), to: path)
                _ = graftError {
                    let model = try Model.load(path)
                    for training in [false, true] { _ = try model.lower(batchSize: 2, training: training) }
                    _ = model.serialized
                }
            }
        }
    }

    @Test(arguments: ["functional.keras", "nested.keras"])
    func damagedArchivesLoadOrThrow(name: String) throws {
        let original = try Fixture.bytes(name)
        try withTemporaryFolder { folder in
            for seed in 0..<UInt64(Self.count) {
                var random = SplitMix(seed: seed)
                let path = folder + "/damaged.keras"
                try write(original.damaged(using: &random), to: path)
                _ = graftError { _ = try Model.load(path) }
            }
        }
    }

    /// Checksums stop most damages of an archive; these come with valid ones.
    @Test(arguments: ["functional.keras", "sequential.keras", "nested.keras"])
    func damagedConfigurationsLoadOrThrow(name: String) throws {
        let archive = try ZipArchive(reading: Fixture.path(name))
        let original = try Configuration(json: archive.read("config.json", limit: 1 << 20))
        let weights = try archive.read("model.weights.h5", limit: 1 << 20)
        try withTemporaryFolder { folder in
            for seed in 0..<UInt64(Self.count) {
                var random = SplitMix(seed: seed)
                let damaged = original.damaged(using: &random)
                let path = folder + "/\(seed).keras"
                let members = [
                    ZipWriter.Member("config.json", bytes: damaged.json()),
                    ZipWriter.Member("model.weights.h5", bytes: weights),
                ]
                try ZipWriter.write(members, to: path)
                _ = graftError {
                    let model = try Model.load(path)
                    for training in [false, true] { _ = try model.lower(batchSize: 2, training: training) }
                    _ = model.serialized
                }
            }
        }
    }

    private func readEverything(_ path: String) {
        var budget = 500  // A damaged group may hold itself, many times.
        func visit(_ group: HDF5Group, _ depth: Int) {
            budget -= 1
            for name in ["layer_names", "weight_names", "name", "fixed", "variable", "scalar", "many", "model_config"] {
                _ = graftError { _ = try group.strings(chunkedAttribute: name) }
            }
            for child in group.children() {
                _ = graftError { _ = try group.dataset(child).tensor() }
                if budget > 0, depth < 8, let inner = try? group.group(child) { visit(inner, depth + 1) }
            }
        }
        if let file = try? HDF5File(reading: path) { visit(file.root, 0) }
    }
}

extension Configuration {
    /// The value with one or two of its parts replaced by something else, removed, or doubled.
    func damaged(using random: inout SplitMix) -> Configuration {
        var result = self
        for _ in 0..<Int.random(in: 1...2, using: &random) { result = result.damagedOnce(&random) }
        return result
    }

    private func damagedOnce(_ random: inout SplitMix) -> Configuration {
        switch self {
        case .array(var elements) where !elements.isEmpty && random.chance(0.95):
            let index = elements.indices.randomElement(using: &random) ?? 0
            switch Int.random(in: 0..<12, using: &random) {
            case 0: elements.remove(at: index)
            case 1: elements.append(elements[index])
            default: elements[index] = elements[index].damagedOnce(&random)
            }
            return .array(elements)
        case .object(var members) where !members.isEmpty && random.chance(0.95):
            let key = members.keys.sorted().randomElement(using: &random) ?? ""
            members[key] = random.chance(0.05) ? nil : members[key]?.damagedOnce(&random)
            return .object(members)
        default:
            return random.pick([
                nil, true, 0, -1, 1, 3, .int(.max), .int(.min), .int(1 << 40), 0.5, .double(.nan), .double(1e308), "",
                "same",
                "conv2d", [], [:], [0], [[], 1], ["a": 1],
            ])
        }
    }
}

extension [UInt8] {
    /// The bytes with one to four damages: bits flipped, fields overwritten with extremes, pieces moved or zeroed.
    func damaged(using random: inout SplitMix) -> [UInt8] {
        var bytes = self
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            let length = Swift.min(bytes.count - place, Int.random(in: 1...64, using: &random))
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[place] = random.pick([0, 1, 0x7F, 0x80, 0xFF])
            case 2: for index in place..<place + length { bytes[index] = 0 }
            case 3: for index in place..<place + Swift.min(8, length) { bytes[index] = random.pick([0xFF, 0, 0x7F]) }
            default:
                let from = Int.random(in: 0...bytes.count - length, using: &random)
                bytes.replaceSubrange(place..<place + length, with: Array(bytes[from..<from + length]))
            }
        }
        return bytes
    }
}
