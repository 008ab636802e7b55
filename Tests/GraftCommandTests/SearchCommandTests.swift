import Foundation
import Testing

/// `graft search`, with the built command.
@Suite struct SearchCommandTests {
    private let folder: URL
    private let tool: GraftTool

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "graft-search-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        tool = GraftTool(folder: folder)
        let drawn = try tool.run([
            "sample", "leaves", "--output", "leaves", "--train", "4", "--validation", "1", "--size", "32",
        ])
        try #require(drawn.status == 0, "\(drawn.errors)")
    }

    private func search(
        _ options: [String], whileRunning: ((Process, String) -> Void)? = nil
    ) throws -> GraftTool.Outcome {
        defer { if whileRunning == nil { try? FileManager.default.removeItem(at: folder.appending(path: "cache")) } }
        return try tool.run(
            [
                "search", "leaves", "--base", "pocket", "--input-size", "32", "--folds", "2", "--epochs", "5",
                "--output", "best.keras",
            ]
                + options, whileRunning: whileRunning)
    }

    @Test func aSearchWritesAModelAndTheCommandThatTrainsIt() throws {
        let outcome = try search(["--trials", "1", "--json"])
        try #require(outcome.status == 0, "\(outcome.errors)")
        let lines = try outcome.lines.map { try #require(JSONLine($0), "\($0)") }
        let trials = lines.filter { $0.string("event") == "trial" }
        #expect(trials.contains { $0.string("kind") == "ridge" } && trials.contains { $0.string("kind") == "head" })
        let done = try #require(lines.last)
        #expect(done.string("event") == "done" && done.string("model") == "best.keras")
        let command = try #require(done.string("command"))
        #expect(command.hasPrefix("graft train leaves --base pocket --input-size 32 --cut "))
        // It is a command.
        let words = command.split(separator: " ").dropFirst().map(String.init)
        let trained = try tool.run(words)
        #expect(trained.status == 0, "\(trained.errors)")
        let asked = try tool.run(["evaluate", "best.keras", "leaves/validation"])
        #expect(asked.status == 0, "\(asked.errors)")
        let chart = try String(contentsOf: folder.appending(path: "best.search.svg"), encoding: .utf8)
        #expect(chart.contains("accuracy of images in folds left out"))
    }

    @Test func ctrlCGivesTheBestSoFar() throws {
        var isAsked = false
        let outcome = try search(["--minutes", "5", "--json"]) { process, text in
            guard !isAsked, text.contains(#""event":"model""#) else { return }
            isAsked = true
            process.interrupt()
        }
        try #require(isAsked && outcome.status == 130, "\(outcome.errors)")
        let done = try #require(outcome.lines.last.flatMap(JSONLine.init))
        #expect(done.string("event") == "done")
        #expect(try tool.run(["evaluate", "best.keras", "leaves/validation"]).status == 0)
    }

    @Test(arguments: [
        (["--minutes", "1", "--trials", "2"], 64, "--trials: got 2, needs either this or --minutes"),
        (["--minutes", "0"], 64, "--minutes: got 0.0, needs above 0, at most 100000"),
        (["--base", "nothing"], 64, "--base: there is no base called “nothing”"),
        (["--base", "pocket"], 1, "bases: pocket is there twice; name each once"),
    ])
    func whatIsWrongIsSaid(_ options: [String], _ status: Int32, _ words: String) throws {
        let outcome = try search(options)
        #expect(outcome.status == status && outcome.errors.contains(words), "\(outcome.errors)")
    }
}
