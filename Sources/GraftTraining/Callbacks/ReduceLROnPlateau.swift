import GraftModel

/// Makes the learning rate smaller when a figure has stopped improving.
///
/// ```swift
/// let plateau = ReduceLROnPlateau(factor: 0.2, patience: 3, minLR: 1e-6)
/// try model.fit(photos.training, epochs: 50, validation: photos.validation, callbacks: [plateau])
/// ```
///
/// The new rate takes the place of the optimizer's schedule.
///
/// Source: keras/src/callbacks/reduce_lr_on_plateau.py, version 3.15.
public final class ReduceLROnPlateau: Callback {
    /// What the rate is multiplied with.
    public let factor: Double
    /// How many epochs without improvement make it smaller.
    public let patience: Int
    /// How many epochs after a reduction are not counted.
    public let cooldown: Int
    /// The smallest rate.
    public let minLR: Double
    /// The reductions of this run: the epoch after which it was, 1 for the first, and the rate from then on.
    public private(set) var reductions: [(epoch: Int, learningRate: Float)] = []

    private var figure: MonitoredMetric
    private var wait = 0
    private var cooldownCounter = 0

    /// - Parameters:
    ///   - monitor: the figure's key in ``History``: `val_loss`, `loss`, `val_accuracy`.
    ///   - factor: what the rate is multiplied with, below 1.
    ///   - patience: how many epochs without improvement make the rate smaller.
    ///   - mode: which way the figure improves.
    ///   - minDelta: how much better than the best a figure must be to count as an improvement.
    ///   - cooldown: how many epochs after a reduction are not counted.
    ///   - minLR: the smallest rate.
    public init(
        monitor: String = "val_loss", factor: Double = 0.1, patience: Int = 10, mode: MonitorMode = .auto,
        minDelta: Double = 1e-4, cooldown: Int = 0, minLR: Double = 0
    ) {
        figure = MonitoredMetric(monitor, mode: mode, minDelta: minDelta)
        (self.factor, self.patience, self.cooldown, self.minLR) = (factor, patience, cooldown, minLR)
    }

    /// Looks at each epoch's figure.
    ///
    /// - Throws: `GraftError` with code `argument` for a factor that is not below 1, or where the run does not measure the
    ///   figure.
    public func handle(_ event: TrainingEvent, in run: TrainingRun) throws {
        switch event {
        case .began(let outline):
            guard factor >= 0, factor < 1 else {
                throw GraftError(
                    .argument, "the factor of ReduceLROnPlateau is \(factor); it must be 0 or more and below 1")
            }
            try figure.begin("ReduceLROnPlateau", outline, in: run)
            (figure.best, wait, cooldownCounter, reductions) = (nil, 0, 0, [])
        case .epoch(let report): judge(report, run)
        default: break
        }
    }

    private func judge(_ report: EpochReport, _ run: TrainingRun) {
        guard let value = report.figures[figure.key] else { return }
        if cooldownCounter > 0 { (cooldownCounter, wait) = (cooldownCounter - 1, 0) }
        if figure.improves(value, on: figure.best) {
            (figure.best, wait) = (value, 0)
        } else if cooldownCounter == 0 {
            wait += 1
            if wait >= patience { reduce(run, epoch: report.epoch) }
        }
    }

    private func reduce(_ run: TrainingRun, epoch: Int) {
        let rate = run.learningRate
        guard rate > Float(minLR) else { return }
        run.learningRate = Float(max(Double(rate) * factor, minLR))
        reductions.append((epoch, run.learningRate))
        (cooldownCounter, wait) = (cooldown, 0)
    }

    /// The best figure, the epochs counted and the reductions; the rate itself belongs to the model's compilation.
    public var state: CallbackState? {
        CallbackState(
            values: [
                "best": .figure(figure.best), "wait": .int(wait), "cooldown": .int(cooldownCounter),
                "reductions": .array(reductions.map { [.int($0.epoch), .double(Double($0.learningRate))] }),
            ])
    }

    /// Goes on counting where the checkpoint was made.
    public func restore(_ state: CallbackState) throws {
        let reader = CallbackStateReader("ReduceLROnPlateau", state)
        figure.best = try reader.figure("best")
        wait = try reader.count("wait") ?? 0
        cooldownCounter = try reader.count("cooldown") ?? 0
        reductions = (state.values["reductions"]?.elements ?? []).compactMap { entry in
            guard let parts = entry.elements, parts.count == 2, let epoch = parts[0].integer, let rate = parts[1].number
            else { return nil }
            return (epoch, Float(rate))
        }
    }
}
