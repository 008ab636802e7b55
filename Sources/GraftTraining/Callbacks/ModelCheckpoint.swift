import GraftModel

/// Saves the model after epochs: each time, or only where a figure is the best so far.
///
/// ```swift
/// let best = ModelCheckpoint("best.keras", monitor: "val_accuracy", saveBestOnly: true)
/// let last = ModelCheckpoint("last.keras")
/// try model.fit(photos.training, epochs: 10, validation: photos.validation, callbacks: [best, last])
/// ```
///
/// A path may hold the epoch, 1 for the first, and figures, in Python's manner: `"{epoch:02d}-{val_loss:.2f}.keras"`.
/// The files hold the model as it predicts; to take up an interrupted run, a checkpoint of the whole run is needed.
///
/// Source: keras/src/callbacks/model_checkpoint.py, version 3.15.
public final class ModelCheckpoint: Callback {
    /// Writes a model to a path, whole or not at all.
    public typealias Save = (_ model: Model, _ path: String) throws -> Void

    /// The best figure so far, the threshold before the first; `nil` without.
    public var best: Double? { figure.best }
    /// The epoch that was saved last, 1 for the first; `nil` before.
    public private(set) var savedEpoch: Int?
    /// The file that was written last; `nil` before.
    public private(set) var savedPath: String?

    private let path: PathPattern
    private let saveBestOnly: Bool
    private let threshold: Double?
    private var figure: MonitoredMetric
    private let save: Save

    /// - Parameters:
    ///   - path: where the model is written, replacing what was there.
    ///   - monitor: the figure's key in ``History``.
    ///   - saveBestOnly: whether only models are saved whose figure is better than all before.
    ///   - mode: which way the figure improves.
    ///   - initialValueThreshold: with `saveBestOnly`, what the first saved model must beat.
    ///   - save: how the model is written; `import Graft` has the initializer that writes `.keras` files.
    public init(
        _ path: String, monitor: String = "val_loss", saveBestOnly: Bool = false, mode: MonitorMode = .auto,
        initialValueThreshold: Double? = nil, save: @escaping Save
    ) {
        (self.path, self.saveBestOnly, self.save) = (PathPattern(path), saveBestOnly, save)
        threshold = initialValueThreshold
        figure = MonitoredMetric(monitor, mode: mode)
        figure.best = initialValueThreshold
    }

    /// Saves after an epoch.
    ///
    /// - Throws: `GraftError` with code `argument` where the run does not measure what the path or `monitor` names; what
    ///   `save` throws.
    public func handle(_ event: TrainingEvent, in run: TrainingRun) throws {
        switch event {
        case .began(let outline): try begin(outline, run)
        case .epoch(let report):
            if saveBestOnly {
                guard let value = report.figures[figure.key], figure.improves(value, on: figure.best) else { return }
                figure.best = value
            }
            let target = try path.path(epoch: report.epoch, report.figures)
            try save(run.model, target)
            (savedEpoch, savedPath) = (report.epoch, target)
        default: break
        }
    }

    private func begin(_ outline: TrainingOutline, _ run: TrainingRun) throws(GraftError) {
        if saveBestOnly { try figure.begin("ModelCheckpoint", outline, in: run) }
        let keys = run.logKeys(withValidation: outline.validationExamples > 0)
        _ = try path.path(epoch: 1, Dictionary(uniqueKeysWithValues: Set(keys).map { ($0, 0) }))
    }

    /// The best figure and what was saved last.
    public var state: CallbackState? {
        CallbackState(
            values: [
                "best": .figure(figure.best), "savedEpoch": .count(savedEpoch),
                "savedPath": savedPath.map { .string($0) } ?? .null,
            ])
    }

    /// Remembers the best figure, so that a run that is taken up does not replace the best model by a worse one.
    public func restore(_ state: CallbackState) throws {
        let reader = CallbackStateReader("ModelCheckpoint", state)
        figure.best = try reader.figure("best")
        (savedEpoch, savedPath) = (try reader.count("savedEpoch"), try reader.text("savedPath"))
    }
}
