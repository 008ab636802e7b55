import GraftData
import GraftModel

/// What a run of `fit` measured, epoch by epoch.
public struct History: Sendable {
    /// The numbers of the epochs, 1 for the first of this `fit`.
    public internal(set) var epochs: [Int] = []
    /// A number an epoch under Keras's keys: `loss`, `accuracy`, `val_loss`, `val_accuracy`.
    public internal(set) var values: [String: [Double]] = [:]
    /// The wall time of each epoch in seconds, validation included.
    public internal(set) var seconds: [Double] = []
    /// Whether somebody asked to stop; the model then holds the variables of the last epoch in ``epochs``.
    public internal(set) var isInterrupted = false
    /// The examples that could not be read, training and validation.
    public internal(set) var failures: [ExampleFailure] = []
    /// The wall time of computing features, in seconds.
    public internal(set) var trunkSeconds = 0.0
    /// How many examples took part, training and validation.
    public internal(set) var exampleCount = 0
    /// Of how many examples the features were found in the cache.
    public internal(set) var reusedFeatureCount = 0

    /// The figure of each epoch under a key, empty where it was not measured.
    public subscript(key: String) -> [Double] { values[key] ?? [] }

    /// The figures of the last epoch.
    public var last: [String: Double] { values.compactMapValues(\.last) }

    /// Adds an epoch's figures.
    mutating func append(epoch: Int, _ figures: [String: Double], seconds: Double) {
        epochs.append(epoch)
        self.seconds.append(seconds)
        for (key, value) in figures { values[key, default: []].append(value) }
    }
}
