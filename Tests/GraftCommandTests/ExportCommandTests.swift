import Foundation
import Testing

/// `graft export` and the proof that it makes of what it wrote.
@Suite struct ExportCommandTests {
    private let saved: SavedClassifier
    init() throws { saved = try SavedClassifier.shared.get() }

    private func run(_ arguments: String...) throws -> GraftTool.Outcome {
        try saved.tool.run(["export", "model.keras"] + arguments)
    }

    /// What a run left of a file beside it; other tests write others meanwhile.
    private func leftovers(of output: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: saved.folder.url.path).filter {
            $0.hasPrefix(".unproved") && $0.hasSuffix(output)
        }
    }

    @Test(arguments: ["proved.onnx", "proved.keras"]) func aFileIsProvedOnTheUsersImages(output: String) throws {
        let outcome = try run("--output", output, "--check", "photos", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let done = try #require(outcome.lines.compactMap { JSONLine($0) }.last)
        // Twelve pictures; the text file among them takes no part.
        #expect(done.number("compared") == 12 && done.number("same_class") == 12)
        #expect((done.number("difference") ?? 1) < 1e-4)
        #expect(outcome.errors.contains("12 of 12 images the same class"))
        #expect(saved.folder.exists(output))
        #expect(try leftovers(of: output).isEmpty)
    }

    @Test func withoutImagesRandomOnesProveIt() throws {
        let outcome = try run("--output", "random.onnx")
        #expect(
            outcome.status == 0 && outcome.output.contains("of 4 random inputs the same class"), "\(outcome.errors)")
        let unproved = try run("--output", "unproved.onnx", "--no-check")
        #expect(unproved.status == 0 && !unproved.output.contains("read again"))
    }

    @Test func whatCannotBeProvedIsWrongUsage() throws {
        for arguments in [
            ["--output", "w.weights.h5", "--check", "photos"],
            ["--output", "m.onnx", "--check", "photos", "--no-check"],
        ] {
            let outcome = try saved.tool.run(["export", "model.keras"] + arguments)
            #expect(outcome.status == 64 && outcome.errors.contains("--check"), "\(outcome.errors)")
        }
        #expect(try run("--output", "w.weights.h5").status == 0)
    }

    @Test func imagesThatAreNoneLeaveNoFile() throws {
        try saved.folder.write(Data("no picture".utf8), to: "texts/a.jpg")
        let outcome = try run("--output", "none.onnx", "--check", "texts")
        #expect(outcome.status == 1 && outcome.errors.contains("none of the 1 images can be read"), "\(outcome.errors)")
        #expect(try !saved.folder.exists("none.onnx") && leftovers(of: "none.onnx").isEmpty)
    }
}
