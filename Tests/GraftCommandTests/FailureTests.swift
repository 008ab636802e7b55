import Foundation
import Testing

/// Failures that are explained: exit code 1, one sentence on standard error, nothing on standard output.
@Suite struct FailureTests {
    private let folder: TemporaryFolder
    private let tool: GraftTool

    init() throws {
        folder = try TemporaryFolder()
        tool = GraftTool(folder: folder.url)
        try folder.drawPictures(["cats": 1, "dogs": 1], below: "photos")
        try folder.drawPictures(["cats": 2], below: "one")
        try folder.write(Data("this is no archive".utf8), to: "text.keras")
        try FileManager.default.createDirectory(
            at: folder.url.appending(path: "empty"), withIntermediateDirectories: true)
    }

    @Test(arguments: [
        ("train nowhere --weights none", "there is no folder nowhere; check the path"),
        (
            "train one --weights none",
            "one holds a single class, cats; telling pictures apart takes at least two: add a folder with pictures of "
                + "something else"
        ),
        ("train photos --output nowhere/m.keras", "--output: there is no folder nowhere; make it first"),
        (
            "summary inception",
            "there is no base called “inception”; the nearest are xception, inception-v3, deit-ti16, and `graft bases --all` "
                + "lists all; the name of a saved model ends in .keras, .h5, .hdf5, .onnx or .zip"
        ),
        (
            "features efficientnet-lite0 photos",
            "no weights of EfficientNetLite0 are published in a form that Graft reads; give a file of yours (--weights "
                + "FILE, .file(path)): safetensors with the names of PyTorch's package efficientnet_lite_pytorch, or HDF5 as "
                + "Keras writes it (.h5)"
        ),
        (
            "summary text.keras --input-size 75",
            "text.keras is not a zip archive: it begins with \"this is no archive\""
        ),
        ("summary nowhere.h5", "cannot open nowhere.h5: no such file or directory"),
        ("predict nowhere.keras a.jpg", "cannot open nowhere.keras: no such file or directory"),
        (
            "predict text.keras a.jpg",
            "text.keras is not a zip archive: it begins with \"this is no archive\""
        ),
        ("evaluate nowhere.keras photos", "cannot open nowhere.keras: no such file or directory"),
        (
            "features text.keras photos --weights none --resize nearest",
            "--weights, --resize: for bases alone; text.keras is a model as it was saved"
        ),
        ("features vgg16 nowhere --output here/f.npy", "--output: there is no folder here; make it first"),
    ])
    func failuresAreOneSentence(command: String, message: String) throws {
        let outcome = try tool.run(command.split(separator: " ").map(String.init))
        #expect(outcome == .init(status: 1, output: "", errors: "graft: \(message)\n"))
    }

    @Test func anEmptyFolderIsToldHowToBeFilled() throws {
        let outcome = try tool.run(["train", "empty", "--weights", "none"])
        #expect(outcome.status == 1)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.hasPrefix("graft: empty holds no pictures that can be used: it is empty. Expected one "))
    }

    @Test func aSizeThatTheBaseCannotTakeIsSaid() throws {
        let outcome = try tool.run(["train", "photos", "--weights", "none", "--input-size", "10"])
        #expect(outcome.status == 1)
        #expect(outcome.output.hasPrefix("2 training images: 1 cats, 1 dogs\n"))
        #expect(
            outcome.errors.hasSuffix("graft: InceptionV3 takes images of at least 75 × 75; received (10, 10, 3)\n"))
    }

    @Test func weightsThatAreNotHereAreNamedBeforeAnythingIsTrained() throws {
        let outcome = try tool.run(["train", "photos", "--weights", "nowhere.h5", "--input-size", "75"])
        #expect(outcome.status == 1)
        #expect(outcome.errors.split(separator: "\n").last?.contains("nowhere.h5") == true)
        #expect(!folder.exists("model.keras"))
    }

    @Test func withJSONTheReasonIsAnObjectToo() throws {
        let outcome = try tool.run(["predict", "nowhere.keras", "a.jpg", "--json"])
        let message = "cannot open nowhere.keras: no such file or directory"
        #expect(
            outcome
                == .init(
                    status: 1, output: #"{"event":"error","message":"\#(message)"}"# + "\n",
                    errors: "graft: \(message)\n"))
    }

    @Test func anOutputFolderThatCannotBeWrittenToIsRefusedFirst() throws {
        // The superuser may write everywhere.
        guard getuid() != 0 else { return }
        try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: folder.url.path + "/empty")
        let outcome = try tool.run(["train", "photos", "--output", "empty/m.keras"])
        #expect(
            outcome
                == .init(
                    status: 1, output: "",
                    errors: "graft: --output: the folder empty cannot be written to; choose another\n"))
    }
}
