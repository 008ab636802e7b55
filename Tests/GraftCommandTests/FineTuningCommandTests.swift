import Foundation
import Testing

/// `graft train --fine-tune-from …` and `graft find-learning-rate`, with the built command.
@Suite(.serialized) struct FineTuningCommandTests {
    private let classifier: SavedClassifier

    init() throws { classifier = try SavedClassifier.shared.get() }

    private func run(_ arguments: [String]) throws -> GraftTool.Outcome {
        try classifier.tool.run(arguments + SavedClassifier.network)
    }

    @Test func theHeadTrainsFirstThenTheBaseAndBothStandInOneHistory() throws {
        try FileManager.default.createDirectory(
            at: classifier.folder.url.appending(path: "tuned"), withIntermediateDirectories: true)
        let outcome = try run([
            "train", "photos", "--epochs", "2", "--output", "tuned/model.keras", "--json", "--fine-tune-from",
            "conv2d_3", "--fine-tune-epochs", "1", "--fine-tune-learning-rate", "1e-5",
        ])
        try #require(outcome.status == 0, "\(outcome.errors)")
        let lines = try outcome.lines.map { try #require(JSONLine($0), "\($0)") }
        let epochs = lines.filter { $0.string("event") == "epoch" }
        #expect(epochs.map { $0.number("epoch") } == [1, 2, 3])
        #expect(epochs.map { $0.string("phase") } == ["head", "head", "fine-tuning"])
        #expect(outcome.errors.contains("fine-tuning from conv2d_3: "))
        #expect(outcome.errors.components(separatedBy: "text.jpg: ").count == 2, "listed once: \(outcome.errors)")
        let table = try String(
            contentsOf: classifier.folder.url.appending(path: "tuned/model.history.csv"), encoding: .utf8)
        #expect(
            table.split(separator: "\n").map { $0.split(separator: ",")[1] } == [
                "phase", "head", "head", "fine-tuning",
            ])
        let chart = try String(
            contentsOf: classifier.folder.url.appending(path: "tuned/model.history.svg"), encoding: .utf8)
        #expect(chart.contains("unfrozen from conv2d_3"))
        #expect(classifier.folder.exists("tuned/model.keras"))
    }

    @Test func withoutEpochsForTheHeadTheWholeBaseTrainsAtOnce() throws {
        let outcome = try run([
            "train", "photos", "--epochs", "0", "--output", "scratch.keras", "--json", "--fine-tune-from", "all",
            "--fine-tune-epochs", "1",
        ])
        try #require(outcome.status == 0, "\(outcome.errors)")
        let lines = try outcome.lines.map { try #require(JSONLine($0), "\($0)") }
        #expect(lines.filter { $0.string("event") == "epoch" }.map { $0.number("epoch") } == [1])
        // InceptionV3 has 427,712 numbers up to mixed0 beside its statistics, the head 256 weights and a bias.
        #expect(
            outcome.errors.contains("fine-tuning the whole base: 427,969 parameters trainable"), "\(outcome.errors)")
    }

    @Test(arguments: [
        ("mixed0", "no layer of the base from mixed0 to the cut has weights; take an earlier one"),
        ("mixed5", "--fine-tune-from: the model functional has no layer called mixed5; nearest: "),
    ])
    func aLayerThatCannotBeUnfrozenIsRefusedBeforeTheHeadTrains(layer: String, message: String) throws {
        let outcome = try run(["train", "photos", "--output", "not.keras", "--fine-tune-from", layer])
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains(message), "\(outcome.errors)")
        #expect(!outcome.output.contains("epoch 1/") && !classifier.folder.exists("not.keras"))
    }

    @Test func theLearningRateFinderSuggestsOneAndDrawsTheCurve() throws {
        var network = SavedClassifier.network
        network.removeSubrange(8..<12)
        let outcome = try classifier.tool.run(
            ["find-learning-rate", "photos", "--steps", "25", "--output", "rate.svg", "--json"] + network)
        try #require(outcome.status == 0, "\(outcome.errors)")
        let line = try #require(outcome.lines.last.flatMap(JSONLine.init))
        #expect(line.names == ["event", "suggestion", "steps", "chart"])
        #expect(line.number("steps").map { $0 > 1 && $0 <= 25 } == true)
        let chart = try String(contentsOf: classifier.folder.url.appending(path: "rate.svg"), encoding: .utf8)
        #expect(chart.contains("<polyline") && chart.contains("learning rate"))
    }
}
