import GraftReports
import GraftTraining

/// What the phases of a training came to.
public struct TrainingOutcome: Sendable {
    /// What each phase measured, in order.
    public private(set) var histories: [History] = []
    /// All epochs, phase after phase.
    public private(set) var curve = LearningCurve()
    /// The epoch of the last phase whose weights the model has; `nil` for its last one.
    private var restoredEpoch: Int?

    /// Nothing trained yet.
    public init() {}

    /// Adds a phase.
    ///
    /// - Parameter restoredEpoch: the epoch whose weights the model was given back, 1 for the first; `nil` for none.
    public mutating func add(_ history: History, of phase: TrainingPhase, restoredEpoch: Int? = nil) {
        histories.append(history)
        curve.begin(phase.name, event: phase.event)
        for (position, seconds) in history.seconds.enumerated() {
            curve.append(
                history.values.compactMapValues { $0.indices.contains(position) ? $0[position] : nil }, seconds: seconds
            )
        }
        self.restoredEpoch = history.isInterrupted ? nil : restoredEpoch
    }

    /// The epochs that are complete, of all phases.
    public var epochCount: Int { histories.reduce(0) { $0 + $1.epochs.count } }
    /// Whether somebody asked to stop; no phase follows.
    public var isInterrupted: Bool { histories.last?.isInterrupted == true }
    /// The wall time of computing features, in seconds.
    public var trunkSeconds: Double { histories.reduce(0) { $0 + $1.trunkSeconds } }
    /// How many images took part, training and validation.
    public var exampleCount: Int { histories.map(\.exampleCount).max() ?? 0 }
    /// Whether the validation curve turned, when, and what to try.
    public var verdict: LearningCurveDiagnosis { LearningCurveDiagnosis(of: curve) }

    /// The figure under a key, such as `val_accuracy`, after the epoch whose weights the model has.
    public func last(_ key: String) -> Double? {
        if let restoredEpoch, let values = histories.last?[key], values.indices.contains(restoredEpoch - 1) {
            return values[restoredEpoch - 1]
        }
        return histories.compactMap { $0[key].last }.last
    }

    /// The images that could not be read, each once.
    public var unreadablePaths: [String] {
        var seen: Set<String> = []
        return histories.flatMap(\.failures).map(\.path).filter { seen.insert($0).inserted }
    }
}
