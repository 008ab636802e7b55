import Foundation
import Graft
import Testing

/// `graft train --early-stopping …` and its companions, with the built command.
@Suite(.serialized) struct CallbackCommandTests {
    private let classifier: SavedClassifier

    init() throws { classifier = try SavedClassifier.shared.get() }

    private func train(_ options: [String]) throws -> GraftTool.Outcome {
        try classifier.tool.run(
            ["train", "photos", "--json", "--output", "watched/model.keras"] + SavedClassifier.network + options)
    }

    private func url(_ path: String) -> URL { classifier.folder.url.appending(path: path) }

    @Test func earlyStoppingEndsTheRunAndWritesTheBestEpoch() throws {
        try FileManager.default.createDirectory(at: url("watched"), withIntermediateDirectories: true)
        // A rate at which the head falls apart after its first epochs.
        let outcome = try train([
            "--epochs", "30", "--learning-rate", "1", "--early-stopping", "2", "--save-best", "watched/best.keras",
            "--reduce-on-plateau", "20", "--tensorboard", "watched/logs", "--optimizer", "adamw",
        ])
        try #require(outcome.status == 0, "\(outcome.errors)")
        let lines = outcome.lines.compactMap(JSONLine.init)
        let epochs = lines.filter { $0.string("event") == "epoch" }
        let stopping = try #require(lines.first { $0.string("event") == "early-stopping" })
        let best = try #require(stopping.number("best_epoch").map { Int($0) })
        #expect(stopping.number("stopped_epoch") == Double(epochs.count))
        #expect(epochs.count == best + 2)
        #expect(epochs.count < 30)
        let losses = epochs.compactMap { $0.number("val_loss") }
        #expect(losses.min() == stopping.number("val_loss"))
        #expect(losses[best - 1] == losses.min())
        #expect(lines.last?.number("val_accuracy") == epochs[best - 1].number("val_accuracy"))
        // Both files hold the weights of the best epoch.
        let (model, saved) = (
            try Model.load(url("watched/model.keras").path), try Model.load(url("watched/best.keras").path)
        )
        #expect(model.weights == saved.weights)
        for part in ["train", "validation"] {
            let files = try FileManager.default.contentsOfDirectory(atPath: url("watched/logs/\(part)").path)
            #expect(files.count == 1 && files[0].hasPrefix("events.out.tfevents."))
        }
    }

    @Test func withoutValidationTheFigureIsRefusedAtOnce() throws {
        let outcome = try train(["--early-stopping", "2", "--validation-split", "0"])
        #expect(outcome.status == 1)
        #expect(
            outcome.errors.contains(
                "--monitor: val_loss needs images to validate on, and none are held back; give a --validation-split above "
                    + "0, or --monitor loss"), "\(outcome.errors)")
    }

    @Test func theBestModelNeedsAFolder() throws {
        let outcome = try train(["--save-best", "nowhere/best.keras"])
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("--save-best: there is no folder nowhere; make it first"))
    }
}
