import Foundation
import Graft
import Testing

/// `graft train --resume`, with the built command: killed, stopped, damaged, refused.
@Suite(.serialized) struct CheckpointCommandTests {
    private let classifier: SavedClassifier

    init() throws { classifier = try SavedClassifier.shared.get() }

    private static let job =
        ["--epochs", "3", "--fine-tune-from", "conv2d_3", "--fine-tune-epochs", "5"] + SavedClassifier.network

    /// A run in a folder of its own.
    private func train(
        _ folder: String, _ more: [String] = [], killAfterEpoch epoch: Int? = nil, signal number: Int32 = SIGKILL
    ) throws -> GraftTool.Outcome {
        let manager = FileManager.default
        try manager.createDirectory(
            at: classifier.folder.url.appending(path: folder), withIntermediateDirectories: true)
        var isDone = false
        return try classifier.tool.run(
            ["train", "photos", "--output", "\(folder)/model.keras"] + Self.job + more
        ) { process, output in
            guard let epoch, !isDone, output.contains("epoch \(epoch)/8") else { return }
            isDone = true
            kill(process.processIdentifier, number)
        }
    }

    private func resume(_ words: String...) throws -> GraftTool.Outcome {
        try classifier.tool.run(["train"] + words)
    }

    private func expectTheSameModel(_ folder: String, as other: String) throws {
        func model(_ folder: String) throws -> [[UInt32]] {
            let path = classifier.folder.url.appending(path: "\(folder)/model.keras").path
            return try Model.load(path).weights.map { $0.scalars.map(\.bitPattern) }
        }
        #expect(try model(folder) == model(other))
        #expect(try history(folder) == history(other))
    }

    /// The table of the epochs, without their wall times.
    private func history(_ folder: String) throws -> [String] {
        try classifier.folder.contents(of: "\(folder)/model.history.csv").split(separator: "\n").map {
            $0.split(separator: ",").dropLast().joined(separator: ",")
        }
    }

    @Test func aKilledRunIsResumedToTheSameBits() throws {
        let plain = try train("plain")
        try #require(plain.status == 0, "\(plain.errors)")
        #expect(!classifier.folder.exists("plain/model.checkpoint"))
        for (name, epoch) in [("head", 2), ("base", 5)] {
            let killed = try train(name, ["--checkpoint-every", "1-steps"], killAfterEpoch: epoch)
            try #require(killed.status == SIGKILL && !classifier.folder.exists("\(name)/model.keras"))
            // As a process leaves them that is killed while it writes; no process has that number.
            for file in ["model.history.csv", "model.history.svg", "model.keras"] {
                let path = classifier.folder.url.appending(path: "\(name)/.\(file).99999999-1.partial")
                try Data("half".utf8).write(to: path)
            }
            let resumed = try resume("--resume", "\(name)/model.checkpoint")
            try #require(resumed.status == 0, "\(resumed.errors)")
            #expect(resumed.output.contains("going on from "))
            #expect(resumed.output.contains("wrote \(name)/model.keras after 8 epochs, "))
            try expectTheSameModel(name, as: "plain")
            let left = try FileManager.default.contentsOfDirectory(
                atPath: classifier.folder.url.appending(path: name).path)
            #expect(left.sorted() == ["model.history.csv", "model.history.svg", "model.keras"])
        }
    }

    @Test func aKilledRunOnViewsIsResumedToTheSameBits() throws {
        let views = ["--augment", "flip,rotate:20", "--views", "2", "--feature-augment", "brightness:0.2"]
        let plain = try train("plain-views", views + ["--json"])
        try #require(plain.status == 0, "\(plain.errors)")
        let events = plain.lines.compactMap { JSONLine($0) }.filter { $0.string("event") == "augmentation" }
        #expect(events.map { $0.string("recipe") } == ["flip:0.5,rotate:20", "flip:0.5,rotate:20"])
        #expect(events.map { $0.number("views") } == [2, 5])
        for (name, epoch) in [("head-views", 2), ("base-views", 5)] {
            let killed = try train(name, views + ["--checkpoint-every", "1-steps"], killAfterEpoch: epoch)
            try #require(killed.status == SIGKILL && !classifier.folder.exists("\(name)/model.keras"))
            let other = try resume("--resume", "\(name)/model.checkpoint", "--views", "3")
            #expect(other.status == 1 && other.errors.contains("--views: the run was begun with --views 2"))
            let resumed = try resume("--resume", "\(name)/model.checkpoint")
            try #require(resumed.status == 0, "\(resumed.errors)")
            try expectTheSameModel(name, as: "plain-views")
        }
    }

    @Test func aKilledRunWithStateOfBfloat16IsResumedToTheSameBits() throws {
        let state = ["--optimizer-state", "bfloat16"]
        let plain = try train("plain-state", state)
        try #require(plain.status == 0, "\(plain.errors)")
        let killed = try train("state", state + ["--checkpoint-every", "1-steps"], killAfterEpoch: 2)
        try #require(killed.status == SIGKILL && !classifier.folder.exists("state/model.keras"))
        let resumed = try resume("--resume", "state/model.checkpoint")
        try #require(resumed.status == 0, "\(resumed.errors)")
        try expectTheSameModel("state", as: "plain-state")
    }

    /// Checkpoints held the words of the command before they held its options.
    @Test func aCheckpointOfWordsIsResumedToo() throws {
        let plain = try train("plain-words")
        try #require(plain.status == 0, "\(plain.errors)")
        _ = try train("words", ["--checkpoint-every", "1-steps"], killAfterEpoch: 2)
        let file = CheckpointFile(classifier.folder.url.appending(path: "words/model.checkpoint").path)
        let stored = try #require(try file.read()?.checkpoint)
        var (values, notes) = try (#require(stored.values.members), #require(stored.values["notes"]?.members))
        #expect(notes["command"]?["options"]?["--fine-tune-from"]?.text == "conv2d_3")
        let words = ["photos", "--output", "words/model.keras"] + Self.job
        notes["command"] = [
            "verb": "train", "arguments": .array(words.map { .string($0) }),
            "folder": .string(classifier.folder.url.path),
        ]
        values["notes"] = .object(notes)
        _ = try file.write(Checkpoint(values: .object(values), tensors: stored.tensors))
        let resumed = try resume("--resume", "words/model.checkpoint")
        try #require(resumed.status == 0, "\(resumed.errors)")
        try expectTheSameModel("words", as: "plain-words")
    }

    @Test func aStoppedRunSaysHowItGoesOnAndDoes() throws {
        let stopped = try train("stopped", ["--checkpoint-every", "stop"], killAfterEpoch: 1, signal: SIGINT)
        #expect(stopped.status == 130)
        let path = "stopped/model.checkpoint"
        #expect(
            stopped.lines.last == "the run is kept in \(path); graft train --resume \(path) goes on with it")
        // With the folder of photos in front, as somebody may well write it.
        let resumed = try resume("photos", "--resume", path, "--json")
        try #require(resumed.status == 0, "\(resumed.errors)")
        let events = try resumed.lines.map { try #require(JSONLine($0), "\($0)") }.dropFirst()
        #expect(events.first?.string("event") == "resumed" && events.last?.string("event") == "done")
        #expect(events.filter { $0.string("event") == "epoch" }.last?.number("epoch") == 8)
        let plain = try train("plain-again")
        try #require(plain.status == 0)
        try expectTheSameModel("stopped", as: "plain-again")
    }

    @Test func aNewRunSetsAsideWhatAnotherCanGoOnFrom() throws {
        _ = try train("aside", ["--checkpoint-every", "1-steps", "--seed", "1"], killAfterEpoch: 2)
        let again = try train("aside", killAfterEpoch: nil)
        #expect(again.status == 0)
        #expect(
            again.output.contains(
                "aside/model.checkpoint, of a run that did not come to its end, is now aside/model.checkpoint.old; "
                    + "graft train --resume aside/model.checkpoint.old goes on with that run"))
        // The model that is there by now is that of the other run.
        let refused = try resume("--resume", "aside/model.checkpoint.old")
        #expect(refused.status == 1)
        #expect(
            refused.errors
                == "graft: --resume: the run would replace aside/model.keras, which it did not write; say --output "
                + "aside/model.keras to have it replaced, or move it away\n")
        #expect(try resume("--resume", "aside/model.checkpoint.old", "--output", "aside/model.keras").status == 0)
    }

    /// A checkpoint from somebody else says where the run writes.
    @Test(arguments: ["model.keras", "model.history.csv", "model.history.svg"])
    func aFileThatTheRunDidNotWriteIsNotReplaced(name: String) throws {
        let folder = "foreign-\(name)"
        _ = try train(folder, ["--checkpoint-every", "1-steps"], killAfterEpoch: 1)
        let path = "\(folder)/\(name)"
        try classifier.folder.write(Data("a diary".utf8), to: path)
        let refused = try resume("--resume", "\(folder)/model.checkpoint")
        #expect(refused.status == 1)
        #expect(refused.errors.hasPrefix("graft: --resume: the run would replace \(path), which it did not write; "))
        #expect(try classifier.folder.contents(of: path) == "a diary")
        #expect(classifier.folder.exists("\(folder)/model.checkpoint"))
    }

    /// As when the terminal is closed, or a line to another machine breaks.
    @Test func aRunWhoseTerminalIsClosedIsKept() throws {
        let stopped = try train("closed", ["--checkpoint-every", "stop"], killAfterEpoch: 1, signal: SIGHUP)
        #expect(stopped.status == 130)
        #expect(classifier.folder.exists("closed/model.checkpoint") && classifier.folder.exists("closed/model.keras"))
        let resumed = try resume("--resume", "closed/model.checkpoint")
        #expect(resumed.status == 0, "\(resumed.errors)")
    }

    @Test func whatTheSameRunLeftGoesWhenItIsCompleteTheSecondTime() throws {
        let words = ["--checkpoint-every", "1-steps"]
        _ = try train("anew", words, killAfterEpoch: 2)
        let again = try train("anew", words)
        try #require(again.status == 0, "\(again.errors)")
        #expect(
            again.output.contains("removed anew/model.checkpoint.old, of the same run before it was begun anew\n"))
        let left = try FileManager.default.contentsOfDirectory(
            atPath: classifier.folder.url.appending(path: "anew").path)
        #expect(left.sorted() == ["model.history.csv", "model.history.svg", "model.keras"])
    }

    @Test func aDamagedCheckpointIsSaidAndTheOneBeforeItUsed() throws {
        _ = try train("damaged", ["--checkpoint-every", "1-steps"], killAfterEpoch: 3)
        let file = classifier.folder.url.appending(path: "damaged/model.checkpoint")
        var bytes = try Data(contentsOf: file)
        bytes[bytes.count / 2] ^= 4
        // Another file: a run that is killed at the right moment leaves one file under both names.
        try bytes.write(to: file, options: .atomic)
        let resumed = try resume("--resume", "damaged/model.checkpoint")
        #expect(resumed.status == 0)
        #expect(resumed.errors.contains("the checkpoint before it, "), "\(resumed.errors)")
        try bytes.write(to: file)
        let refused = try resume("--resume", "damaged/model.checkpoint")
        #expect(refused.status == 1)
        #expect(refused.errors.contains("and there is none before it; begin the training anew"), "\(refused.errors)")
    }

    @Test func whatDoesNotFitIsRefusedInWords() throws {
        let missing = try resume("--resume", "nowhere.checkpoint")
        #expect(missing.status == 1)
        #expect(missing.errors.hasPrefix("graft: --resume: there is no file nowhere.checkpoint; "))
        _ = try train("refused", ["--checkpoint-every", "1-steps"], killAfterEpoch: 2)
        let path = "refused/model.checkpoint"
        for (option, value, before) in [
            ("--epochs", "7", "with --epochs 3"), ("--optimizer", "sgd", "without --optimizer"),
            ("--optimizer-state", "bfloat16", "without --optimizer-state"),
        ] {
            let refused = try resume("photos", "--resume", path, option, value)
            #expect(refused.status == 1)
            #expect(
                refused.errors
                    == "graft: \(option): the run was begun \(before) and goes on so; leave the option out, or train anew "
                    + "without --resume\n")
        }
        let picture = classifier.folder.url.appending(path: "photos/red/1.bmp")
        let bytes = try Data(contentsOf: picture)
        defer { try? bytes.write(to: picture) }
        try Picture.bmp(red: 1, green: 2, blue: 3, number: 4).write(to: picture)
        let changed = try resume("--resume", path)
        #expect(changed.status == 1)
        #expect(changed.errors.contains("are not what they were: photos/red/1.bmp; "), "\(changed.errors)")
        try FileManager.default.removeItem(at: picture)
        let fewer = try resume("--resume", path)
        #expect(fewer.status == 1)
        #expect(fewer.errors.contains("the training data has "), "\(fewer.errors)")
    }
}
