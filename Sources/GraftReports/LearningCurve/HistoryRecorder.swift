import Foundation
import GraftModel

/// Keeps a table and a chart next to a model while it trains, `cats-and-dogs.history.csv` and `cats-and-dogs.history.svg`
/// next to `cats-and-dogs.keras`: written after every epoch, each in one piece, so that readers see a whole file.
///
/// One recorder follows several calls of `fit`; ``begin(_:event:)`` parts them:
///
/// ```swift
/// let recorder = HistoryRecorder(beside: "cats-and-dogs.keras")
/// recorder.begin("head")
/// try model.fit(photos.training, epochs: 5, validation: photos.validation, callbacks: [recorder])
/// try base.unfreeze(from: "mixed5")
/// try model.compile(optimizer: RMSprop(learningRate: 1e-5), loss: .binaryCrossentropy, metrics: [.accuracy])
/// recorder.begin("fine-tuning", event: "unfrozen from mixed5")
/// try model.fit(photos.training, epochs: 5, validation: photos.validation, callbacks: [recorder])
/// print(LearningCurveDiagnosis(of: recorder.curve))
/// ```
///
/// A full disk does not end the training; ``failure`` tells of it.
public final class HistoryRecorder: Callback {
    /// Where the table is written.
    public let csvPath: String
    /// Where the chart is written.
    public let chartPath: String
    /// What was measured so far.
    public private(set) var curve = LearningCurve()
    /// Why the last epoch's files could not be written, `nil` where they were.
    public private(set) var failure: GraftError?
    private let title: String
    private var lastWrite = ContinuousClock.now
    /// Whether an epoch was measured that the files do not have.
    private var isBehind = false

    /// A recorder that writes into the folder of this model, under the model's name with `.history.csv` and `.history.svg`
    /// in place of its extension.
    public init(beside model: String) {
        let stem = (model as NSString).deletingPathExtension
        (csvPath, chartPath) = (stem + ".history.csv", stem + ".history.svg")
        title = ((model as NSString).lastPathComponent as NSString).deletingPathExtension
    }

    /// Begins a phase with the next epoch; `event` says what happened, for the chart.
    public func begin(_ phase: String, event: String? = nil) { curve.begin(phase, event: event) }

    /// Adds each epoch and writes both files; of epochs beyond the hundredth that take less than a second not after
    /// each one, as the files grow.
    public func handle(_ event: TrainingEvent, in run: TrainingRun) throws {
        switch event {
        case .began:
            // Of a process that was killed while it wrote one.
            for path in [csvPath, chartPath] { AtomicFile.removePartials(of: path) }
        case .epoch(let report):
            curve.append(report.figures, seconds: report.seconds)
            isBehind = true
            if curve.epochs.count <= 100 || .now - lastWrite > .seconds(1) { write() }
        case .ended: if isBehind { write() }
        default: break
        }
    }

    /// What was measured so far.
    public var state: CallbackState? { CallbackState(values: curve.configuration) }

    /// Goes on with what was measured; the files follow with the next epoch.
    public func restore(_ state: CallbackState) throws { curve = try LearningCurve(configuration: state.values) }

    private func write() {
        (lastWrite, isBehind) = (.now, false)
        do throws(GraftError) {
            try AtomicFile.write(curve.csv, to: csvPath)
            try AtomicFile.write(curve.chart(title: title).svg, to: chartPath)
            failure = nil
        } catch {
            failure = error
        }
    }
}
