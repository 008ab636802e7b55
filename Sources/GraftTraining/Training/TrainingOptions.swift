import GraftModel

/// How a run uses the machine.
public struct TrainingOptions: Sendable {
    /// Where features of the trunk are kept.
    public var features: FeatureCache
    /// How many threads compute; all cores where it is `nil`.
    public var threads: Int?
    /// What convolutions compute in.
    public var precision: Precision
    /// Looked at between steps: `fit` then keeps the model of the last complete epoch and returns a history that says
    /// so; `evaluate` and `predict` throw.
    public var cancellation: CancellationFlag?
    /// Follows where the time goes; nobody does, and nothing costs, where it is `nil`.
    public var profiler: Profiler?
    /// What computes; the CPU where it is `nil`.
    package var backend: (any Backend)?

    /// All cores, float32 and the user's cache where nothing else is said.
    public init(
        features: FeatureCache = .standard, threads: Int? = nil, precision: Precision = .float32,
        cancellation: CancellationFlag? = nil
    ) {
        (self.features, self.threads, self.cancellation) = (features, threads, cancellation)
        self.precision = precision
    }

    /// - Throws: `GraftError` with code `cancelled` where somebody asked to stop.
    func checkCancellation() throws(GraftError) {
        if cancellation?.isCancelled == true { throw GraftError(.cancelled, "stopped as asked") }
    }
}
