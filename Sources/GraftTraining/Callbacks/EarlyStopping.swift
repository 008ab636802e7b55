import GraftGraph
import GraftModel

/// Ends the run when a figure has stopped improving, and by choice gives back the best weights.
///
/// ```swift
/// let stopping = EarlyStopping(patience: 3, restoreBestWeights: true)
/// try model.fit(photos.training, epochs: 50, validation: photos.validation, callbacks: [stopping])
/// ```
///
/// Source: keras/src/callbacks/early_stopping.py, version 3.15.
public final class EarlyStopping: Callback {
    /// How many epochs without improvement end the run.
    public let patience: Int
    /// Whether the model has the weights of the best epoch when the run ends.
    public let restoreBestWeights: Bool
    /// The best value so far, `nil` before the first.
    public var best: Double? { figure.best }
    /// The epoch of ``best``, 1 for the first; `nil` before.
    public private(set) var bestEpoch: Int?
    /// The epoch after which it ended the run, 1 for the first; `nil` where it did not.
    public private(set) var stoppedEpoch: Int?

    private let baseline: Double?
    private let startFromEpoch: Int
    private var figure: MonitoredMetric
    private var wait = 0
    /// What training changes, in the model's order.
    private var variables: [Variable] = []
    /// Their values after the best epoch, shared with the model for as long as it does not change them.
    private var bestWeights: [String: Tensor] = [:]

    /// - Parameters:
    ///   - monitor: the figure's key in ``History``: `val_loss`, `loss`, `val_accuracy`.
    ///   - minDelta: how much better than the best a figure must be to count as an improvement.
    ///   - patience: how many epochs without improvement end the run; with 0, the first one does.
    ///   - mode: which way the figure improves.
    ///   - baseline: epochs that do not beat it count as epochs without improvement.
    ///   - restoreBestWeights: whether the model gets the weights of the best epoch when the run ends, also where it ends
    ///     because all epochs were done. Where somebody cancels the run, the model stays that of the last complete epoch.
    ///     Holds a second copy of what training changes.
    ///   - startFromEpoch: how many epochs at the start are not looked at.
    public init(
        monitor: String = "val_loss", minDelta: Double = 0, patience: Int = 0, mode: MonitorMode = .auto,
        baseline: Double? = nil, restoreBestWeights: Bool = false, startFromEpoch: Int = 0
    ) {
        figure = MonitoredMetric(monitor, mode: mode, minDelta: minDelta)
        (self.patience, self.baseline) = (patience, baseline)
        (self.restoreBestWeights, self.startFromEpoch) = (restoreBestWeights, startFromEpoch)
    }

    /// Looks at each epoch's figure.
    ///
    /// - Throws: `GraftError` with code `argument` where the run does not measure the figure.
    public func handle(_ event: TrainingEvent, in run: TrainingRun) throws {
        switch event {
        case .began(let outline): try begin(outline, run)
        case .epoch(let report): judge(report, run)
        case .ended(let history): if !history.isInterrupted { giveBackBest() }
        default: break
        }
    }

    private func begin(_ outline: TrainingOutline, _ run: TrainingRun) throws(GraftError) {
        try figure.begin("EarlyStopping", outline, in: run)
        (figure.best, bestEpoch, stoppedEpoch, wait) = (nil, nil, nil, 0)
        variables = restoreBestWeights ? run.changingVariables : []
        bestWeights = [:]
    }

    private func judge(_ report: EpochReport, _ run: TrainingRun) {
        guard let value = report.figures[figure.key], report.epoch > startFromEpoch else { return }
        if restoreBestWeights, bestWeights.isEmpty { keepWeights(of: report.epoch) }
        wait += 1
        if figure.improves(value, on: figure.best) {
            figure.best = value
            keepWeights(of: report.epoch)
            if baseline == nil || figure.improves(value, on: baseline) { wait = 0 }
            return
        }
        if wait >= patience, report.epoch > 1 {
            stoppedEpoch = report.epoch
            run.stop()
        }
    }

    private func keepWeights(of epoch: Int) {
        bestEpoch = epoch
        if restoreBestWeights { bestWeights = Dictionary(variables.map { ($0.path, $0.value) }) { first, _ in first } }
    }

    private func giveBackBest() {
        for variable in variables {
            if let value = bestWeights[variable.path] { variable.value = value }
        }
        bestWeights = [:]
    }

    /// The best figure, its epoch, the epochs without improvement, and the best weights.
    public var state: CallbackState? {
        CallbackState(
            values: [
                "best": .figure(figure.best), "bestEpoch": .count(bestEpoch), "stoppedEpoch": .count(stoppedEpoch),
                "wait": .int(wait),
            ], tensors: bestWeights)
    }

    /// Goes on counting where the checkpoint was made.
    public func restore(_ state: CallbackState) throws {
        let reader = CallbackStateReader("EarlyStopping", state)
        let shapes = Dictionary(variables.map { ($0.path, $0.shape) }) { first, _ in first }
        if let foreign = state.tensors.first(where: { shapes[$0.key] != $0.value.shape }) {
            throw reader.error("the best weights name \(foreign.key) with the shape \(foreign.value.shape)")
        }
        figure.best = try reader.figure("best")
        (bestEpoch, stoppedEpoch) = (try reader.count("bestEpoch"), try reader.count("stoppedEpoch"))
        wait = try reader.count("wait") ?? 0
        bestWeights = state.tensors
    }
}
