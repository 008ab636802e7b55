import GraftModel

/// Which way a monitored metric improves.
public enum MonitorMode: String, Sendable, Hashable, CaseIterable {
    /// As the metric's name says: losses fall, accuracy rises. Refused for a metric of your own that does
    /// not say which way it improves.
    case auto
    /// The smaller the better.
    case min
    /// The larger the better.
    case max
}

/// A metric of an epoch that a callback compares with the best so far, by Keras's rule.
///
/// Comparisons are those of float32, as Keras's are: a difference that float32 does not show is none. NaN is never the best.
///
/// Source: keras/src/callbacks/monitor_callback.py, version 3.15.
struct MonitoredMetric {
    let key: String
    let mode: MonitorMode
    private let minDelta: Double
    /// The best value so far, `nil` before the first.
    var best: Double?
    private var direction = Metric.Direction.down

    /// - Parameter minDelta: how much better than the best a value must be; its sign is ignored.
    init(_ key: String, mode: MonitorMode, minDelta: Double = 0) {
        (self.key, self.mode, self.minDelta) = (key, mode, abs(minDelta))
    }

    /// Finds out which way the metric improves, before anything is computed.
    ///
    /// - Throws: `GraftError` with code `argument` where the run does not log the metric, or its direction is
    ///   unknown.
    mutating func begin(_ owner: String, _ outline: TrainingOutline, in run: TrainingRun) throws(GraftError) {
        let keys = run.logKeys(withValidation: outline.validationExamples > 0)
        guard keys.contains(key) else {
            let hint =
                key.hasPrefix("val_") && outline.validationExamples == 0 ? "give `fit` validation examples, or " : ""
            throw GraftError(
                .argument,
                "\(owner) monitors \(key), but this run measures \(keys.joined(separator: ", ")); \(hint)monitor one of "
                    + "these")
        }
        switch mode {
        case .min: direction = .down
        case .max: direction = .up
        case .auto:
            guard let own = run.direction(of: key) else {
                throw GraftError(
                    .argument,
                    "\(owner) monitors \(key), whose metric does not say which way it improves; give `mode` .min or .max, "
                        + "or the metric a direction")
            }
            direction = own
        }
    }

    /// Whether a value beats the best, or another reference.
    func improves(_ value: Double, on reference: Double?) -> Bool {
        guard !value.isNaN else { return false }
        guard let reference else { return true }
        return switch direction {
        case .down: Float(value + minDelta) < Float(reference)
        case .up: Float(value - minDelta) > Float(reference)
        }
    }
}

extension TrainingRun {
    /// The keys of an epoch's logs.
    func logKeys(withValidation: Bool) -> [String] {
        let own = ["loss"] + measures.termKeys + measures.metrics.map(\.key)
        return own + (withValidation ? own.map { "val_\($0)" } : [])
    }

    /// Which way a metric improves, by its key with or without `val_`; `nil` if unknown.
    func direction(of key: String) -> Metric.Direction? {
        let name = key.hasPrefix("val_") ? String(key.dropFirst(4)) : key
        if name == "loss" || measures.termKeys.contains(name) { return .down }
        return measures.metrics.first { $0.key == name }?.metric.direction
    }
}
