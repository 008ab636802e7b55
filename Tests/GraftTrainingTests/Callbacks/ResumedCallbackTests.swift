import Foundation
import GraftFormats
import GraftGraph
import GraftModel
import Testing

@testable import GraftReports
@testable import GraftTraining

/// A run with all callbacks, ended after any step and taken up by new ones, leaves what a run leaves that nothing ended.
@Suite struct ResumedCallbackTests {
    /// What a run leaves.
    private struct Traces: Equatable {
        var weights: [Tensor] = []
        var table = ""
        var curves: [String: [String: [Float]]] = [:]
        var steps: [String: [String: [Int]]] = [:]
        var reductions: [Float] = []
        var best: Double?
        var stopped: Int?

        /// What differs, in words.
        func difference(from other: Traces) -> String? {
            if weights != other.weights { return "weights" }
            if table != other.table { return "the table is \(table), not \(other.table)" }
            if steps != other.steps { return "the curves' steps are \(steps), not \(other.steps)" }
            if curves != other.curves { return "the curves' values" }
            if reductions != other.reductions { return "the rates \(reductions), not \(other.reductions)" }
            return self == other ? nil : "the best figure \(best ?? 0), the last epoch \(stopped ?? 0)"
        }
    }

    /// The callbacks that remember something, and where they write.
    private struct Watchers {
        let folder: String
        let plateau = ReduceLROnPlateau(monitor: "loss", factor: 0.5, patience: 1, minDelta: 0.02)
        let stopping = EarlyStopping(patience: 2, restoreBestWeights: true)
        let best: ModelCheckpoint
        let all: [any Callback]

        init(_ folder: String) {
            self.folder = folder
            best = ModelCheckpoint("best", saveBestOnly: true) { _, _ in }
            all = [
                plateau, stopping, best, CSVLogger("\(folder)/log.csv"),
                TensorBoard(logDir: folder, histogramFreq: 1, updateFreq: .batches(2)),
                LearningRateScheduler { epoch, rate in epoch == 2 ? rate * 0.9 : rate },
            ]
        }

        func traces(of model: Model) throws -> Traces {
            var traces = Traces(
                weights: model.weights, table: try String(contentsOfFile: "\(folder)/log.csv", encoding: .utf8))
            for part in ["train", "validation"] {
                let events = try EventReader.values(in: "\(folder)/\(part)")
                traces.curves[part] = events.mapValues { $0.map(\.value) }
                traces.steps[part] = events.mapValues { $0.map(\.step) }
            }
            traces.reductions = plateau.reductions.map(\.learningRate)
            (traces.best, traces.stopped) = (best.best, stopping.stoppedEpoch)
            return traces
        }
    }

    private func fit(_ watchers: Watchers, checkpoint: Checkpointing?) throws -> Model {
        let problem = ResumeProblem(name: "SGD", makeOptimizer: { SGD(learningRate: 0.1, momentum: 0.5) })
        let model = try problem.model()
        try model.fit(
            problem.data(), batchSize: 5, epochs: 6, validation: problem.data(6, key: 10), seed: 3,
            callbacks: watchers.all, options: TrainingOptions(features: .off, threads: 1), checkpoint: checkpoint)
        return model
    }

    @Test func aRunThatIsTakenUpAfterAnyStepLeavesTheSame() throws {
        try withFolder { folder in
            let every = EveryCheckpoint("\(folder)/checkpoints")
            try FileManager.default.createDirectory(atPath: every.folder, withIntermediateDirectories: true)
            let plain = Watchers("\(folder)/logs")
            try FileManager.default.createDirectory(atPath: plain.folder, withIntermediateDirectories: true)
            let model = try fit(plain, checkpoint: Checkpointing(storage: every, every: .steps(1)))
            let expected = try plain.traces(of: model)
            // The run ended early and gave back an earlier epoch's weights, so that there is something to get wrong.
            #expect(expected.stopped != nil || expected.reductions.count > 0)
            #expect(every.paths.count >= 10)
            for path in every.paths {
                // The files are those of the whole run, longer than what the checkpoint knows.
                let resumed = Watchers(plain.folder)
                let again = try fit(resumed, checkpoint: Checkpointing(path, every: .never))
                let traces = try resumed.traces(of: again)
                #expect(traces.difference(from: expected) == nil, "\(path)")
            }
        }
    }
}
