import Foundation
import Graft
import Testing

/// `graft distill`, with the built command: what it writes, how it is stopped and goes on, what it refuses.
@Suite(.serialized) struct DistillCommandTests {
    private let folder: TemporaryFolder
    private let tool: GraftTool

    init() throws {
        folder = try TemporaryFolder()
        tool = GraftTool(folder: folder.url)
        try folder.drawPictures(["blue": 5, "red": 5], below: "photos")
        try folder.write(Data("no image".utf8), to: "photos/red/text.jpg")
    }

    /// Random weights and small images, so that a debug build is fast enough.
    private static let networks = [
        "--weights", "none", "--teacher-size", "75", "--cut", "mixed0", "--student", "mobilenet-v2", "--input-size",
        "32",
    ]
    private static let job = ["--epochs", "3", "--batch-size", "4", "--validation-split", "0.2", "--threads", "2"]

    /// Small networks of one's own, so that many epochs take little time.
    private func saveNetworks() throws {
        for (name, channels, seed) in [("teacher", 12, UInt64(1)), ("small", 4, 2)] {
            let model = try Sequential(
                [
                    Rescaling(1 / 127.5, offset: -1), Conv2D(channels, kernelSize: 3, strides: 2),
                    BatchNormalization(), Activation(.relu), Dropout(name == "small" ? 0.1 : 0),
                    Conv2D(2 * channels, kernelSize: 3, strides: 2, activation: .relu),
                ], inputShape: [16, 16, 3], seed: seed)
            try model.save(folder.url.appending(path: "\(name).keras").path)
        }
    }

    private func distill(
        _ words: [String], endAfterEpoch epoch: String? = nil, signal number: Int32 = SIGKILL
    ) throws -> GraftTool.Outcome {
        var isDone = false
        return try tool.run(["distill"] + words) { process, output in
            guard let epoch, !isDone, output.contains("epoch \(epoch)") else { return }
            isDone = true
            kill(process.processIdentifier, number)
        }
    }

    private func bits(_ path: String) throws -> [[UInt32]] {
        try Model.load(folder.url.appending(path: path).path).weights.map { $0.scalars.map(\.bitPattern) }
    }

    @Test func theStudentIsWrittenWithoutItsLessonsAndGivesFeatures() throws {
        let outcome = try distill(["inception-v3", "photos", "--json"] + Self.networks + Self.job)
        try #require(outcome.status == 0, "\(outcome.errors)")
        // On a slow machine there are checkpoints among them.
        let events = try outcome.lines.map { try #require(JSONLine($0), "\($0)") }
            .filter { $0.string("event") != "checkpoint" }
        #expect(events.map { $0.string("event") } == ["precision", "epoch", "epoch", "epoch", "done"])
        #expect(events[1].names == ["event", "epoch", "loss", "val_loss", "seconds"])
        let done = try #require(events.last)
        #expect(
            done.names == ["event", "model", "epochs", "loss", "val_loss", "seconds", "images", "left_out"])
        #expect(done.string("model") == "student.keras" && done.number("images") == 10)
        #expect(done.strings("left_out") == ["photos/red/text.jpg"])
        let losses = events.dropFirst().prefix(3).compactMap { $0.number("loss") }
        #expect(losses.count == 3, "\(losses)")
        for line in [
            "teacher: inception_v3 cut at mixed0, 256 features, from images of 75 × 75",
            "student: mobilenetv2_1.00_32 from random weights, 2,257,984 parameters, of images of 32 × 32",
            "9 images to learn from, each in 8 views (flip:0.5,crop:0.2:1,brightness:0.2,contrast:0.2,saturation:0.2,hue:0.05), "
                + "2 to measure the loss on",
        ] { #expect(outcome.errors.contains(line + "\n"), "\(outcome.errors)") }
        let student = try Model.load(folder.url.appending(path: "student.keras").path)
        #expect(student.layers.allSatisfy { !$0.name.hasPrefix("lesson") })
        // MobileNetV2's own 0.999 would keep what the statistics began with.
        let momenta = student.layers.compactMap { ($0 as? BatchNormalization)?.momentum }
        #expect(momenta.count == 52 && momenta.allSatisfy { $0 == 0.8 })
        let rule = ImageRule(height: 32, width: 32, resize: .antialias)
        #expect(try student.metadata.inputRule == .image(rule))
        #expect(!folder.exists("student.checkpoint") && folder.exists("student.history.csv"))
        let features = try tool.run(["features", "student.keras", "photos/blue"])
        #expect(features.status == 0 && features.output.contains("wrote features.npy: 5 rows of (1, 1, 1280)"))
    }

    @Test func aStudentGoesOnFromWhatItLearned() throws {
        try saveNetworks()
        func losses(_ student: String, _ output: String, _ more: [String]) throws -> [Double] {
            let outcome = try distill(
                ["teacher.keras", "photos", "--student", student, "--output", output, "--augment", "none", "--json"]
                    + more)
            try #require(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.errors.contains(" as it was saved, "))
            return outcome.lines.compactMap { JSONLine($0)?.number("loss") }
        }
        let taught = try losses(
            "small.keras", "one.keras", ["--epochs", "30", "--learning-rate", "0.01", "--moving-average", "0.8"])
        // Of the epochs and of the end.
        #expect(taught.count == 31 && taught[29] < taught[0] / 2, "\(taught)")
        #expect(try bits("one.keras") != bits("small.keras"))
        // Steps too small to change a kernel: what it begins with.
        _ = try losses("one.keras", "two.keras", ["--epochs", "1", "--learning-rate", "1e-20"])
        #expect(try bits("two.keras")[0] == bits("one.keras")[0])
    }

    @Test func aKilledAndAStoppedRunGoOnToTheSameBits() throws {
        try saveNetworks()
        let words =
            ["teacher.keras", "photos", "--student", "small.keras", "--epochs", "80", "--batch-size", "4"]
            + ["--views", "3", "--mix-up", "0.2"]
        let plain = try distill(words + ["--output", "plain.keras"])
        try #require(plain.status == 0, "\(plain.errors)")
        let killed = try distill(
            words + ["--output", "killed.keras", "--checkpoint-every", "1-steps"], endAfterEpoch: "10/80")
        try #require(killed.status == SIGKILL && !folder.exists("killed.keras"))
        let resumed = try distill(["--resume", "killed.checkpoint"])
        try #require(resumed.status == 0, "\(resumed.errors)")
        #expect(resumed.output.contains("going on from "))
        #expect(try bits("killed.keras") == bits("plain.keras"))

        let stopped = try distill(words + ["--output", "stopped.keras"], endAfterEpoch: "15/80", signal: SIGINT)
        #expect(stopped.status == 130)
        #expect(folder.exists("stopped.keras"))
        #expect(
            stopped.lines.last
                == "the run is kept in stopped.checkpoint; graft distill --resume stopped.checkpoint goes on with it")
        try refuse(resuming: "stopped.checkpoint")
        try FileManager.default.moveItem(
            at: folder.url.appending(path: "photos"), to: folder.url.appending(path: "elsewhere"))
        let again = try distill(["elsewhere", "--resume", "stopped.checkpoint"])
        try #require(again.status == 0, "\(again.errors)")
        #expect(try bits("stopped.keras") == bits("plain.keras"))
    }

    private func refuse(resuming path: String) throws {
        for (words, message) in [
            (
                ["distill", "--resume", path, "--epochs", "4"],
                "--epochs: the run was begun with --epochs 80 and goes on so; leave the option out, or train anew without "
                    + "--resume"
            ),
            (
                ["distill", "vgg16", "photos", "--resume", path],
                "--resume: the run was begun with the teacher teacher.keras and goes on so; it cannot be vgg16"
            ),
            (
                ["train", "--resume", path],
                "--resume: \(path) is the checkpoint of another program than graft train"
            ),
        ] {
            let outcome = try tool.run(words)
            #expect(outcome.status == 1 && outcome.errors == "graft: \(message)\n", "\(outcome.errors)")
        }
    }

    @Test func aClassifierOfOnesOwnTeachesItsClasses() throws {
        let classifier = try SavedClassifier.shared.get()
        let model = classifier.folder.url.appending(path: "model.keras").path
        try saveNetworks()
        let words = ["--student", "small.keras", "--threads", "2"]
        let outcome = try distill([model, "photos", "--top", "--temperature", "3", "--epochs", "1"] + words)
        try #require(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains(", 2 classes at temperature 3.0, from images of 75 × 75\n"))
        for (option, networks) in [
            ("--teacher-size", ["teacher.keras", "photos", "--student", "mobilenet-v2"]),
            ("--input-size", ["vgg16", "photos", "--student", "small.keras"]),
        ] {
            let sized = try distill(networks + [option, "64"])
            #expect(sized.status == 1)
            #expect(
                sized.errors.hasPrefix("graft: \(option): ")
                    && sized.errors.contains(" and nothing else; the option is"),
                "\(sized.errors)")
        }
        let features = try distill([model, "photos"] + words)
        #expect(features.status == 1)
        #expect(
            features.errors
                == "graft: \(model) is a classifier: give --top to teach its class probabilities, or --cut LAYER to teach "
                + "the features of a layer; graft summary lists the layers\n")
        let student = try distill(["vgg16", "photos", "--weights", "none", "--student", model])
        #expect(student.status == 1)
        #expect(student.errors.contains("is a classifier, and a student gives features; name a base, or a student"))
    }

    // MARK: Wrong usage

    @Test(arguments: [
        ("", "Missing expected argument '<teacher>'"),
        ("vgg16", "Missing expected argument '<images>'"),
        ("vgg16 photos", "Missing expected argument '--student <name|file.keras>'"),
        ("vgg16 photos --student vgg16 --output s.h5", "--output: got 's.h5', needs a name that ends in .keras"),
        ("vgg16 photos --student vgg16 --teacher-size 0", "--teacher-size: got 0, needs 1 to 4096 pixels"),
        ("vgg16 photos --student vgg16 --input-size 5000", "--input-size: got 5000, needs 1 to 4096 pixels"),
        (
            "vgg16 photos --student vgg16 --top --cut block3_pool",
            "--top and --cut: a teacher teaches either its classes or a layer's features"
        ),
        ("vgg16 photos --student vgg16 --temperature 2", "--temperature needs --top: features have none"),
        ("vgg16 photos --student vgg16 --top --temperature 0", "--temperature: got 0.0, needs a number above 0"),
        ("vgg16 photos --student vgg16 --epochs 0", "--epochs: got 0, needs at least 1"),
        ("vgg16 photos --student vgg16 --batch-size 0", "--batch-size: got 0, needs 1 to 65536"),
        ("vgg16 photos --student vgg16 --learning-rate nan", "--learning-rate: got nan, needs a number above 0"),
        ("vgg16 photos --student vgg16 --weight-decay=-1", "--weight-decay: got -1.0, needs 0 or more"),
        (
            "vgg16 photos --student vgg16 --moving-average 1",
            "--moving-average: got 1.0, needs 0 up to, not including, 1"
        ),
        (
            "vgg16 photos --student vgg16 --validation-split 1",
            "--validation-split: got 1.0, needs 0 up to, not including, 1"
        ),
        (
            "vgg16 photos --student vgg16 --answers-memory=-1",
            "--answers-memory: got -1, needs 0 to 1000000 megabytes"
        ),
        (
            "vgg16 photos --student vgg16 --image-memory=-1", "--image-memory: got -1, needs 0 to 1000000 megabytes"
        ),
        (
            "vgg16 photos --student vgg16 --augment flipp",
            "--augment: 'flipp' is no part of an augmentation: the parts are \(Augmentation.forms)"
        ),
        ("vgg16 photos --student vgg16 --views 0", "--views: got 0, needs 1 to 1000000"),
        (
            "vgg16 photos --student vgg16 --mix-up 0",
            "--mix-up: MixUp's alpha is 0.0; it must be more than 0 and at most 1000"
        ),
    ])
    func wrongArgumentsAreExplained(words: String, message: String) throws {
        let outcome = try distill(words.split(separator: " ").map(String.init))
        let usage =
            "Usage: graft distill [<options>] [<teacher>] [<images>]\n  See 'graft distill --help' for more information.\n"
        #expect(outcome == .init(status: 64, output: "", errors: "Error: \(message)\n\(usage)"))
    }

    @Test(arguments: [
        ("vgg16 nowhere --student vgg16", "the folder nowhere cannot be read: No such file or directory"),
        (
            "vgg photos --student vgg16",
            "there is no base called “vgg”; the nearest are vgg16, vgg19, pocket, and `graft bases --all` lists all; the "
                + "name of a saved model ends in .keras, .h5, .hdf5, .onnx or .zip"
        ),
        ("vgg16 photos --student s.keras", "cannot open s.keras: no such file or directory"),
        (
            "t.keras photos --weights none --preprocessing unit --student vgg16",
            "--weights, --preprocessing: for bases alone; t.keras is a model as it was saved"
        ),
        (
            "vgg16 photos --student vgg16 --output nowhere/s.keras",
            "--output: there is no folder nowhere; make it first"
        ),
        ("--resume nowhere.checkpoint", ""),
    ])
    func failuresAreOneSentence(words: String, message: String) throws {
        let outcome = try distill(words.split(separator: " ").map(String.init))
        let expected =
            message.isEmpty
            ? "--resume: there is no file nowhere.checkpoint; a run keeps itself beside its model, as MODEL.checkpoint, once "
                + "it trains" : message
        #expect(outcome == .init(status: 1, output: "", errors: "graft: \(expected)\n"))
    }

    @Test func itExplainsItselfWithExamples() throws {
        let outcome = try tool.run(["distill", "--help"])
        #expect(outcome.status == 0 && outcome.errors.isEmpty)
        #expect(outcome.output.contains("Example") && outcome.output.contains("  graft distill inception-v3"))
    }
}
