import Foundation
import Testing

/// `--profile` with the built command.
@Suite struct ProfileTests {
    private let classifier: SavedClassifier

    init() throws { classifier = try SavedClassifier.shared.get() }

    @Test func aTableIsPrintedAndATraceWritten() throws {
        let outcome = try classifier.tool.run(
            ["predict", "model.keras", "photos/red/0.bmp", "--profile", "trace.json", "--threads", "2"])
        try #require(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("photos/red/0.bmp: "))
        #expect(outcome.output.contains("limits measured now: "))
        #expect(outcome.output.contains("  convolution  "))
        #expect(outcome.lines.last == "trace in trace.json")
        let trace = try JSONSerialization.jsonObject(with: Data(classifier.folder.contents(of: "trace.json").utf8))
        let events = try #require((trace as? [String: Any])?["traceEvents"] as? [[String: Any]])
        let names = Set(events.compactMap { $0["name"] as? String })
        #expect(names.isSuperset(of: ["graft", "decode", "forward pass", "conv2d_1"]))
    }

    @Test func aTraceWhoseFolderIsMissingIsRefusedBeforeTheWork() throws {
        let outcome = try classifier.tool.run(
            ["predict", "model.keras", "photos/red/0.bmp", "--profile", "nowhere/trace.json"])
        #expect(outcome.status == 1)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.contains("--profile: there is no folder nowhere; make it first"))
    }

    @Test func anotherEndingIsWrongUsage() throws {
        let outcome = try classifier.tool.run(["evaluate", "model.keras", "photos", "--profile", "trace.txt"])
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains("--profile: got 'trace.txt', needs a name that ends in .json"))
    }
}
