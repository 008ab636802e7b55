import GraftFeatures
import GraftModel
import GraftRuntime

/// How a run uses the machine.
public struct TrainingOptions: Sendable {
    /// Where features of the trunk are kept.
    public var features: FeatureCache
    /// How many threads compute; all cores where it is `nil`.
    public var threads: Int?
    /// What is done to kept features each time that they are read for a training step; nothing where it is `nil`.
    public var featureAugmentation: FeatureAugmentation?
    /// What convolutions compute in.
    public var precision: Precision
    /// Looked at between steps: `fit` then keeps the model of the last complete epoch and returns a history that says
    /// so; `evaluate` and `predict` throw.
    public var cancellation: CancellationFlag?
    /// Records where the time goes; off, at no cost, where it is `nil`.
    public var profiler: Profiler?
    /// What computes; ``BackendRegistry/standard`` where it is `nil`.
    package var backend: (any Backend)?

    /// All cores, float32 and the user's cache by default.
    public init(
        features: FeatureCache = .standard, threads: Int? = nil, precision: Precision = .float32,
        cancellation: CancellationFlag? = nil
    ) {
        (self.features, self.threads, self.cancellation) = (features, threads, cancellation)
        self.precision = precision
    }

    /// What is asked of a backend.
    var backendSettings: BackendSettings {
        get throws(GraftError) {
            if let threads { try requirePositive(threads, "threads") }
            return BackendSettings(threads: threads, precision: try precision.resolved(), timeline: profiler?.timeline)
        }
    }

    /// What computes.
    ///
    /// - Throws: `GraftError` with code `argument` for a number of threads that is not at least 1, and for a precision that
    ///   the processor does not have.
    func makeBackend() throws -> any Backend {
        let settings = try backendSettings
        return try backend ?? BackendRegistry.standard.make(settings)
    }

    /// - Throws: `GraftError` with code `cancelled` where somebody asked to stop.
    func checkCancellation() throws(GraftError) {
        if cancellation?.isCancelled == true { throw GraftError(.cancelled, "stopped as asked") }
    }
}
