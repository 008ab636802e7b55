import Foundation
import Testing

/// `graft sample`: images drawn into a folder that the other verbs read.
@Suite struct SampleCommandTests {
    private let folder: TemporaryFolder
    private let tool: GraftTool

    init() throws {
        folder = try TemporaryFolder()
        tool = GraftTool(folder: folder.url)
    }

    private func run(_ arguments: String) throws -> GraftTool.Outcome {
        try tool.run(arguments.split(separator: " ").map(String.init))
    }

    @Test func imagesAreDrawnIntoAFolderNamedAfterTheSet() throws {
        let outcome = try run("sample leaves --train 2 --validation 1 --size 16")
        #expect(outcome.status == 0)
        #expect(outcome.errors.isEmpty)
        #expect(outcome.lines.first?.hasPrefix("15 images of birch, ginkgo, maple, oak, willow in leaves (") == true)
        #expect(
            outcome.lines.dropFirst() == [
                "of each class 2 to train with, 1 to validate with", "next: graft train leaves",
            ])
        for name in ["train/oak/1.png", "train/oak/2.png", "validation/willow/1.png"] {
            #expect(folder.exists("leaves/\(name)"), "\(name)")
        }
        #expect(!folder.exists("leaves/train/oak/3.png"))
    }

    @Test func withJSONTheOutcomeIsAnObject() throws {
        let outcome = try run("sample cells --output slides --train 1 --validation 0 --size 16 --seed 3 --json")
        #expect(outcome.status == 0)
        let line = try #require(outcome.lines.first.flatMap { JSONLine($0) })
        #expect(outcome.lines.count == 1)
        #expect(
            line.names == [
                "event", "path", "set", "classes", "images", "train", "validation", "size", "seed", "seconds",
            ])
        #expect(line.string("event") == "done")
        #expect(line.string("path") == "slides")
        #expect(line.strings("classes") == ["basophil", "eosinophil", "lymphocyte", "monocyte", "neutrophil"])
        #expect(line.number("images") == 5)
        #expect(line.number("seed") == 3)
    }

    @Test func aFolderInUseIsRefused() throws {
        try folder.write(Data("mine".utf8), to: "photos/notes.txt")
        let outcome = try run("sample leaves --output photos --size 16")
        let message =
            "photos is in use: it holds photos/notes.txt, which is no image of the sample set leaves. Choose another folder, "
            + "or an empty one"
        #expect(outcome == .init(status: 1, output: "", errors: "graft: \(message)\n"))
        #expect(try folder.contents(of: "photos/notes.txt") == "mine")
    }

    @Test(arguments: [
        (
            "leafs",
            "there is no sample set called “leafs”; did you mean leaves? Graft draws leaves (leaves of five trees, on the "
                + "ground), cells (white blood cells of five kinds, under a microscope)"
        ),
        ("leaves --train 0", "--train: got 0, needs 1 to 100000 images a class"),
        ("leaves --validation=-1", "--validation: got -1, needs 0 to 100000 images a class"),
        ("leaves --size 4096", "--size: got 4096, needs 16 to 1024 pixels"),
    ])
    func wrongUsageIsExplained(arguments: String, message: String) throws {
        let outcome = try run("sample \(arguments)")
        #expect(outcome.status == 64)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.hasPrefix("Error: \(message)\nUsage: graft sample <set>"), "\(outcome.errors)")
    }

    @Test func theVerbExplainsItselfWithAnExample() throws {
        let outcome = try run("sample --help")
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("  graft sample leaves --output leaves"))
        #expect(outcome.output.contains("--json"))
    }

    @Test func anInterruptionLeavesWholeFiles() throws {
        var wasInterrupted = false
        let outcome = try tool.run(["sample", "leaves", "--train", "3000", "--size", "16"]) { process, _ in
            guard !wasInterrupted, folder.exists("leaves/train/birch/1.png") else { return }
            wasInterrupted = true
            process.interrupt()
        }
        #expect(outcome.status == 130)
        #expect(outcome.errors.contains("stopped as asked: "), "\(outcome.errors)")
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder.url.appending(path: "leaves").path)
            .filter { $0.contains(".") }
        #expect((1..<15_000).contains(files.count))
        #expect(!files.contains { $0.hasSuffix(".partial") })
    }
}
