import ArgumentParser
import Foundation
import Graft
import Testing

@testable import GraftCommand

/// The options of a run as its checkpoint keeps them.
@Suite struct KeptCommandTests {
    /// Every option of `train` that decides what a run does.
    private static let train = [
        "photos", "--output", "m.keras", "--head", "flatten", "--cache", "kept", "--base", "vgg16", "--weights", "none",
        "--input-size", "75", "--cut", "block3_pool", "--resize", "antialias", "--preprocessing", "signed-unit",
        "--fit", "pad", "--window", "40:400", "--grey", "--target", "labels", "--split", "0.8,0.2", "--group-by", "(a)",
        "--audit",
        "--augment", "flip,randaugment", "--views", "4", "--mixup", "0.2", "--cutmix", "1", "--balance", "sampling",
        "--cache-limit", "2.5", "--feature-augment", "brightness:0.5", "--optimizer", "lion", "--optimizer-state",
        "bfloat16", "--learning-rate", "1e-7", "--batch-size", "7",
        "--l2", "0.3", "--epochs", "3", "--seed", "18446744073709551615",
        "--fine-tune-from", "all", "--fine-tune-epochs", "2", "--fine-tune-learning-rate", "1e-9",
        "--update-statistics", "--monitor", "loss", "--early-stopping", "1", "--reduce-on-plateau", "2",
        "--save-best", "b.keras", "--tensorboard", "board", "--checkpoint-every", "100-steps", "--keep-checkpoint",
        "--threads", "2", "--precision", "auto",
    ]
    private static let distill = [
        "vgg16", "photos", "--output", "s.keras", "--weights", "vgg.h5", "--top", "--temperature", "3",
        "--teacher-size", "90", "--preprocessing", "own", "--student", "mobilenet-v2", "--input-size", "32", "--resize",
        "keras", "--augment", "none", "--views", "3", "--mix-up", "0.2", "--answers-memory", "1", "--image-memory", "2",
        "--epochs", "4", "--batch-size", "5", "--learning-rate", "0.01", "--weight-decay", "0.1",
        "--moving-average", "0.9", "--validation-split", "0", "--seed", "6", "--checkpoint-every", "90s",
        "--keep-checkpoint", "--threads", "2", "--precision", "float32",
    ]

    private func expectAllComesBack<Verb: ResumableCommand>(_ type: Verb.Type, _ words: [String]) throws {
        let begun = KeptCommand(try Verb.parse(words))
        let json = try Configuration(json: begun.configuration.json())
        let kept = try KeptCommand(json, of: type, path: "c.checkpoint")
        #expect(kept == begun)
        let resumed = try kept.resumed(by: Verb.parse(["--resume", "c.checkpoint"]), path: "c.checkpoint")
        #expect(KeptCommand(resumed) == begun)
        // What was kept before options were: the words.
        let old: Configuration = [
            "verb": .string(Verb.verb), "folder": .string(begun.folder), "arguments": .array(words.map { .string($0) }),
        ]
        #expect(try KeptCommand(old, of: type, path: "c.checkpoint") == begun)
        // The same options once more are no other ones.
        _ = try kept.resumed(by: Verb.parse(words + ["--resume", "c.checkpoint"]), path: "c.checkpoint")
    }

    @Test func allOptionsComeBack() throws {
        try expectAllComesBack(Train.self, Self.train)
        try expectAllComesBack(Train.self, ["photos"])
        try expectAllComesBack(Train.self, ["photos", "--validation-split", "0.1"])
        try expectAllComesBack(Distill.self, Self.distill)
        let seconds = KeptCommand(try Train.parse(["photos", "--checkpoint-every", "5m"]))
        #expect(seconds.options == ["images": "photos", "--checkpoint-every": "300.0s"])
    }

    /// An option that is added to a verb has to be kept too, or its runs would go on without it.
    @Test func noOptionIsForgotten() {
        func options(_ help: String) -> Set<String> {
            // Each begins a line of its own.
            Set(help.matches(of: /(?m)^  (?:-[a-z], )?(--[a-z0-9-]+)/).map { String($0.1) })
        }
        // What a run on this machine may download is no matter of the run before.
        let others: Set = ["--resume", "--json", "--profile", "--help", "--version", "--offline"]
        // Runs on texts are not resumed.
        let ofTexts: Set = ["--pooling", "--tokenizer", "--maximum-length", "--text-column", "--label-column"]
        let train = Set(Train.keptOptions.map(\.name)).subtracting(["images"])
        #expect(options(Train.helpMessage()).subtracting(others).subtracting(ofTexts) == train)
        let distill = Set(Distill.keptOptions.map(\.name)).subtracting(["images", "teacher"])
        #expect(options(Distill.helpMessage()).subtracting(others) == distill)
        // --split divides in another way than --validation-split, so that only one of them is among them.
        #expect(Self.train.filter { $0.hasPrefix("--") }.count == train.count - 1)
        // A teacher teaches its classes or a layer, so that --cut is not among them.
        #expect(Self.distill.filter { $0.hasPrefix("--") }.count == distill.count - 1)
    }

    @Test(arguments: [
        (["--seed", "0"], "--seed: the run was begun with --seed 3 and goes on so; "),
        (["--update-statistics", "--fine-tune-from", "all"], "--fine-tune-from: the run was begun without "),
        (["--output", "other.keras"], "--output: the run was begun without --output and goes on so; "),
        (["--learning-rate", "0.02"], "--learning-rate: the run was begun with --learning-rate 0.01 and goes on so; "),
    ])
    func otherOptionsAreRefused(words: [String], message: String) throws {
        let begun = KeptCommand(try Train.parse(["photos", "--seed", "3", "--learning-rate", "1e-2"]))
        let error = #expect(throws: GraftError.self) {
            try begun.resumed(by: Train.parse(["--resume", "c"] + words), path: "c")
        }
        #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
    }

    @Test func someMayBeSaidAnew() throws {
        let begun = KeptCommand(try Train.parse(["photos", "--checkpoint-every", "epoch", "--epochs", "3"]))
        let words = [
            "moved", "--resume", "c", "--checkpoint-every", "stop", "--keep-checkpoint", "--json", "--epochs", "3",
        ]
        let resumed = try begun.resumed(by: Train.parse(words), path: "c")
        #expect(resumed.images == "moved" && resumed.checkpoints.keepCheckpoint)
        #expect(resumed.checkpoints.checkpointEvery == CheckpointInterval(argument: "stop"))
        #expect(resumed.training.epochs == 3 && resumed.outputOptions.json)
    }

    @Test(
        arguments: [
            (["verb": "train", "options": ["--colour": "blue"]], "--colour blue"),
            (["verb": "train", "options": ["--epochs": "many"]], "--epochs many"),
            (["verb": "train", "options": ["--update-statistics": "maybe"]], "--update-statistics maybe"),
            (["arguments": ["photos", "--colour", "blue"]], "photos --colour blue"),
        ] as [(Configuration, String)])
    func optionsThatAreNotKnownAreSaidWithAWayOut(configuration: Configuration, options: String) throws {
        let error = #expect(throws: GraftError.self) {
            try KeptCommand(configuration, of: Train.self, path: "c")
                .resumed(by: Train.parse(["--resume", "c"]), path: "c")
        }
        #expect(
            error?.message
                == "--resume: this graft does not know the options of c: \(options); go on with the graft that began the run, "
                + "or train anew")
    }

    @Test(arguments: [["verb": "distill", "options": [:]], ["verb": "train"], [:], nil, 3] as [Configuration?])
    func anotherProgramsCheckpointIsRefused(configuration: Configuration?) {
        let error = #expect(throws: GraftError.self) {
            try KeptCommand(configuration, of: Train.self, path: "c")
        }
        #expect(error?.message == "--resume: c is the checkpoint of another program than graft train")
    }
}
