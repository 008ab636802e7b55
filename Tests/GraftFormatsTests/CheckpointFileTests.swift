import Foundation
import GraftTestSupport
import Testing

@testable import GraftFormats

@Suite struct CheckpointFileTests {
    private static func checkpoint(_ number: Int) -> Checkpoint {
        Checkpoint(
            values: [
                "number": .int(number), "ninth": .double(1.0 / 9), "tiny": .double(.leastNonzeroMagnitude),
                "list": [true, nil, "a \"b\""],
                "infinite": .double(-.infinity),
            ],
            tensors: [
                "variable/0": Tensor((0..<60).map { Float($0) / 7 + Float(number) }, shape: [3, 4, 5]),
                "slot/0/0": Tensor([.infinity, -0.0, .leastNonzeroMagnitude], shape: [3]), "scalar": Tensor(2),
                "empty": Tensor(zeros: [0, 4]),
                // Odd in number, and by its name before one of 32 bits.
                "narrow": Tensor([1, -0.5, .nan], shape: [3]).stored(as: .bfloat16),
            ])
    }

    private static func expectEqual(_ stored: Checkpoint?, _ number: Int, _ comment: Comment? = nil) {
        let wanted = checkpoint(number)
        #expect(stored?.values == wanted.values, comment)
        #expect(stored?.tensors.mapValues(\.shape) == wanted.tensors.mapValues(\.shape), comment)
        #expect(stored?.tensors.mapValues(\.elementType) == wanted.tensors.mapValues(\.elementType), comment)
        let bits = stored?.tensors.mapValues { $0.scalars.map(\.bitPattern) }
        #expect(bits == wanted.tensors.mapValues { $0.scalars.map(\.bitPattern) }, comment)
    }

    /// Two checkpoints in a folder, the first of them the one before.
    private func withTwo(_ body: (_ folder: String, _ path: String) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let path = folder + "/run.checkpoint"
            let file = CheckpointFile(path)
            for number in 1...2 { _ = try file.write(Self.checkpoint(number)) }
            #expect(try namesInFolder(folder) == ["run.checkpoint", "run.checkpoint.previous"])
            try body(folder, path)
        }
    }

    @Test func everyBitComesBack() throws {
        try withTwo { folder, path in
            let stored = try CheckpointFile(path).read()
            Self.expectEqual(stored?.checkpoint, 2)
            #expect(stored?.name == path && stored?.problem == nil)
            Self.expectEqual(try CheckpointFile(path + ".previous").read()?.checkpoint, 1)
            #expect(try CheckpointFile(path).values() == Self.checkpoint(2).values)
            #expect(try CheckpointFile(folder + "/other").read() == nil)
            CheckpointFile(path).remove()
            #expect(try namesInFolder(folder).isEmpty)
        }
    }

    /// Cut at every length: the one before is used and the damage told, whatever is left.
    @Test func aFileThatIsCutShortAnywhereGivesTheOneBefore() throws {
        try withTwo { _, path in
            let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
            for length in 0..<bytes.count {
                try write(Array(bytes[..<length]), to: path)
                let stored = try CheckpointFile(path).read()
                Self.expectEqual(stored?.checkpoint, 1, "\(length) bytes")
                #expect(stored?.name == path + ".previous" && stored?.problem != nil)
            }
        }
    }

    /// A flipped bit in every byte: the checkpoint is refused, or the byte is one that carries nothing (a date).
    @Test func aFlippedBitAnywhereGivesTheOneBeforeOrChangesNothing() throws {
        try withTwo { _, path in
            let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
            var harmless = 0
            for index in bytes.indices {
                var damaged = bytes
                damaged[index] ^= 1 << UInt8(index % 8)
                try write(damaged, to: path)
                let stored = try CheckpointFile(path).read()
                let isNewest = stored?.name == path
                if isNewest { harmless += 1 }
                Self.expectEqual(stored?.checkpoint, isNewest ? 2 : 1, "byte \(index)")
                #expect((stored?.problem == nil) == isNewest)
            }
            // Nowhere but in headers, which hold dates, versions and attributes: those of two members, at the front and in
            // the table of contents, with their names, and the end record.
            #expect(harmless < 2 * (30 + 46 + 15 + 19) + 22)
        }
    }

    @Test func anyDamageGivesAWholeCheckpointOrAnError() throws {
        try withTwo { _, path in
            let names = [path, path + ".previous"]
            let originals = try names.map { Array(try Data(contentsOf: URL(fileURLWithPath: $0))) }
            for seed in 0..<UInt64(DamagedFilesTests.count) {
                var random = SplitMix(seed: seed)
                for (name, bytes) in zip(names, originals) { try write(bytes.damaged(using: &random), to: name) }
                var stored: StoredCheckpoint?
                let error = graftError { stored = try CheckpointFile(path).read() }
                if let stored {
                    Self.expectEqual(stored.checkpoint, stored.name == path ? 2 : 1, "seed \(seed)")
                } else {
                    let words = "the one before it is of no use either; begin the training anew"
                    #expect(error?.message.contains(words) == true, "seed \(seed)")
                }
            }
        }
    }

    /// Checksums stop most damages; these headers come with valid ones.
    @Test(arguments: [
        #"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}"#,
        #"{"a": {"dtype": "F32", "shape": [4611686018427387904, 4], "data_offsets": [0, 0]}}"#,
        #"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [-8, 0]}}"#,
        #"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [9223372036854775800, 9223372036854775807]}}"#,
        #"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}"#,
        #"{"a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 8]}}"#,
        #"{"a": {"dtype": "BF16", "shape": [4611686018427387904, 4], "data_offsets": [0, 0]}}"#,
        #"{"a": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}}"#,
        #"{"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}"#,
        #"{"a": {"dtype": "F32", "data_offsets": [0, 8]}}"#, #"{"a": 5}"#, "[", "",
    ])
    func aHeaderThatDoesNotFitIsRefused(header: String) throws {
        try withTemporaryFolder { folder in
            let path = folder + "/hostile.checkpoint"
            let text = Array(header.utf8)
            let length = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
            try ZipWriter.write(
                [
                    ZipWriter.Member("checkpoint.json", bytes: Array("{}".utf8)),
                    ZipWriter.Member("tensors.safetensors", bytes: length + text + [UInt8](repeating: 0, count: 8)),
                ], to: path)
            #expect(graftError { _ = try CheckpointFile(path).read() }?.code == .format)
        }
    }

    @Test func aNewRunDoesNotTakeAnothersFileForTheOneBefore() throws {
        try withTwo { folder, path in
            _ = try CheckpointFile(path).write(Self.checkpoint(3))
            #expect(try namesInFolder(folder) == ["run.checkpoint"])
        }
    }

    @Test func whatIsSetAsideIsTheNewest() throws {
        try withTwo { folder, path in
            #expect(CheckpointFile(path).setAside() == path + ".old")
            #expect(try namesInFolder(folder) == ["run.checkpoint.old"])
            Self.expectEqual(try CheckpointFile(path + ".old").read()?.checkpoint, 2)
            #expect(CheckpointFile(path).setAside() == nil)
        }
    }

    @Test func whatAKilledProcessLeftIsRemoved() throws {
        try withTwo { folder, path in
            // Of a process that is gone; of one whose number another process has by now, as in a container; and in the
            // form that libzip gave them before.
            let left = ["2147483647-abc.partial", "\(getpid())-abc.partial", "2147483647-abc.partial.x1y2"]
            for name in left { try write([1, 2, 3], to: folder + "/.run.checkpoint." + name) }
            // Of one that is writing.
            let held = try TemporaryFile(for: path)
            _ = try CheckpointFile(path).write(Self.checkpoint(3))
            #expect(
                try namesInFolder(folder).filter { $0.hasPrefix(".") } == [
                    String(held.path.dropFirst(folder.count + 1))
                ])
        }
    }

    /// As in ``AtomicFileTests/aDiskThatIsFullLosesNothing(limit:)``.
    @Test(arguments: [0, 100, 400])
    func aFullDiskLeavesBothAsTheyWere(limit: Int) async {
        await #expect(processExitsWith: .success) { [limit = limit as Int] in
            try withTemporaryFolder { folder in
                let path = folder + "/run.checkpoint"
                let file = CheckpointFile(path)
                for number in 1...2 { _ = try file.write(CheckpointFileTests.checkpoint(number)) }
                let error = graftError {
                    try withFileSizeLimit(limit) { _ = try file.write(CheckpointFileTests.checkpoint(3)) }
                }
                #expect(error?.code == .file)
                #expect(error?.message.contains("was not written, what was there before is untouched: ") == true)
                #expect(try namesInFolder(folder) == ["run.checkpoint", "run.checkpoint.previous"])
                CheckpointFileTests.expectEqual(try file.read()?.checkpoint, 2)
            }
        }
    }
}
