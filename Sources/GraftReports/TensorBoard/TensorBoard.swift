import GraftGraph
import GraftModel

/// Writes curves that TensorBoard shows: `tensorboard --logdir logs`.
///
/// As Keras does, in two folders: `train` with `epoch_loss`, `epoch_learning_rate` and a curve for each metric, and
/// `validation` with the same figures of validation, once over epochs (counted from 0, as in Keras) and once over the
/// optimizer's steps (`evaluation_loss_vs_iterations`). The network's graph is not written.
///
/// Source: keras/src/callbacks/tensorboard.py, version 3.15.
public final class TensorBoard: Callback {
    /// How often figures are written in addition to those of each epoch.
    public enum UpdateFrequency: Sendable, Hashable {
        /// Not at all.
        case epoch
        /// After every step: the figures of the epoch so far, as `batch_loss` and so on.
        case batch
        /// After each so many steps.
        case batches(Int)

        /// In steps, 0 for never.
        var steps: Int {
            switch self {
            case .epoch: 0
            case .batch: 1
            case .batches(let count): count
            }
        }
    }

    /// The folder that TensorBoard is given.
    public let logDir: String
    private let histogramFreq: Int
    private let updateFreq: UpdateFrequency
    private var files: [Part: EventFile] = [:]
    private var stepCount = 0
    private var hasValidation = false

    private enum Part: String, CaseIterable {
        case train, validation
    }

    /// - Parameters:
    ///   - logDir: the folder; made where it is not there.
    ///   - histogramFreq: after how many epochs the distribution of each variable is written; 0 for never.
    ///   - updateFreq: how often figures are written in addition to those of each epoch.
    public init(logDir: String = "logs", histogramFreq: Int = 0, updateFreq: UpdateFrequency = .epoch) {
        (self.logDir, self.histogramFreq, self.updateFreq) = (logDir, histogramFreq, updateFreq)
    }

    /// Writes what an event tells.
    ///
    /// - Throws: `GraftError` with code `argument` for a frequency below 0, `file` where a file cannot be written.
    public func handle(_ event: TrainingEvent, in run: TrainingRun) throws {
        switch event {
        case .began(let outline): try begin(outline)
        case .epochBegan: try openFiles()
        case .step(let report): try add(report)
        case .epoch(let report): try add(report, run)
        case .ended: files = [:]
        default: break
        }
    }

    private func begin(_ outline: TrainingOutline) throws {
        guard histogramFreq >= 0, updateFreq.steps >= 0 else {
            throw GraftError(
                .argument,
                "TensorBoard writes every \(updateFreq.steps) steps and histograms every \(histogramFreq) epochs; both "
                    + "must be 0 or more")
        }
        (files, stepCount, hasValidation) = ([:], 0, outline.validationExamples > 0)
        try Disk.makeFolder(logDir)
    }

    /// Begins all files before the first step, so that every checkpoint knows them.
    private func openFiles() throws {
        _ = try file(.train)
        if hasValidation { _ = try file(.validation) }
    }

    /// The file of a part, begun where it has none yet.
    private func file(_ part: Part) throws -> EventFile {
        if let file = files[part] { return file }
        let file = try EventFile(in: "\(logDir)/\(part.rawValue)")
        files[part] = file
        return file
    }

    private func add(_ report: StepReport) throws {
        stepCount += 1
        guard updateFreq.steps > 0, stepCount.isMultiple(of: updateFreq.steps) else { return }
        let file = try file(.train)
        for (key, value) in report.figures.sorted(by: { $0.key < $1.key }) {
            try file.add(TensorBoardSummary("batch_\(key)", scalar: value), step: stepCount)
        }
    }

    private func add(_ report: EpochReport, _ run: TrainingRun) throws {
        let epoch = report.epoch - 1
        for (key, value) in report.figures.sorted(by: { $0.key < $1.key }) {
            if key.hasPrefix("val_") {
                let (name, file) = (key.dropFirst(4), try file(.validation))
                try file.add(
                    TensorBoardSummary("evaluation_\(name)_vs_iterations", scalar: value), step: run.iterations)
                try file.add(TensorBoardSummary("epoch_\(name)", scalar: value), step: epoch)
            } else {
                try file(.train).add(TensorBoardSummary("epoch_\(key)", scalar: value), step: epoch)
            }
        }
        let rate = TensorBoardSummary("epoch_learning_rate", scalar: Double(run.learningRate))
        try file(.train).add(rate, step: epoch)
        guard histogramFreq > 0, epoch.isMultiple(of: histogramFreq) else { return }
        for variable in run.model.variables {
            let summary = TensorBoardSummary("\(variable.path)/histogram", histogramOf: variable.value)
            try file(.train).add(summary, step: epoch)
        }
    }

    /// Where the files end, and how many steps were counted.
    public var state: CallbackState? {
        let places = files.map { part, file in
            (part.rawValue, Configuration.object(["path": .string(file.path), "end": .int(file.end)]))
        }
        return CallbackState(
            values: .object([
                "steps": .int(stepCount), "files": .object(Dictionary(uniqueKeysWithValues: places)),
            ]))
    }

    /// Cuts the files off after what the checkpoint knows, so that no step is there twice, and continues.
    public func restore(_ state: CallbackState) throws {
        stepCount = try CallbackStateReader("TensorBoard", state).count("steps") ?? 0
        for part in Part.allCases {
            let place = state.values["files"]?[part.rawValue]
            guard let path = place?["path"]?.text, let end = place?["end"]?.integer, end >= 0,
                path.hasPrefix("\(logDir)/\(part.rawValue)/events.out.tfevents.")
            else { continue }
            files[part] = try EventFile(resuming: path, at: end)
        }
    }
}
