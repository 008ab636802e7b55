import GraftFormats
import GraftModel
import GraftTraining

extension ModelCheckpoint {
    /// Saves `.keras` files, each whole or not at all.
    ///
    /// - Parameters:
    ///   - path: where the model is written; ends in `.keras`, and may hold the epoch and figures.
    ///   - monitor: the figure's key in ``History``.
    ///   - saveBestOnly: whether only models are saved whose figure is better than all before.
    ///   - mode: which way the figure improves.
    ///   - initialValueThreshold: with `saveBestOnly`, what the first saved model must beat.
    /// - Throws: `GraftError` with code `argument` for another ending.
    public convenience init(
        _ path: String, monitor: String = "val_loss", saveBestOnly: Bool = false, mode: MonitorMode = .auto,
        initialValueThreshold: Double? = nil
    ) throws(GraftError) {
        guard path.hasSuffix(".keras") else {
            throw GraftError(.argument, "ModelCheckpoint writes files that end in .keras, not \(path)")
        }
        self.init(
            path, monitor: monitor, saveBestOnly: saveBestOnly, mode: mode,
            initialValueThreshold: initialValueThreshold
        ) { model, path in try model.save(path) }
    }
}
