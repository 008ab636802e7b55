import GraftData
import GraftFeatures
import GraftGraph
import GraftModel

/// What a model puts out for some examples, read from the store of features, which keeps it for later runs.
package struct KeptOutputs: Sendable {
    /// The examples that could be read, in order.
    package let indices: [Int]
    /// For each output of the model the rows of these examples, one after the other.
    package let rows: [[Float]]
    /// How many numbers a row of each output has.
    package let widths: [Int]
    /// The examples that could not be read.
    package let failures: [ExampleFailure]
    /// How many were found in the store.
    package let reusedCount: Int
    /// The wall time in seconds.
    package let seconds: Double
}

extension Model {
    /// All outputs of a model for some examples, by one pass over what the store does not have: of several cuts of a base, each is
    /// computed on the way to the next.
    ///
    /// - Parameters:
    ///   - examples: what is asked about.
    ///   - options: threads, precision and the store; a temporary one where it keeps none.
    ///   - check: throws where somebody asked to stop; called before each batch. What was computed until then is kept.
    ///   - emit: told of progress and of examples that cannot be read.
    /// - Throws: `GraftError` with code `file` where the disk has too little space, and what `check` throws.
    package func keptOutputs(
        of examples: any Dataset, options: TrainingOptions, check: @escaping () throws -> Void,
        emit: @escaping (TrainingEvent) throws -> Void
    ) throws -> KeptOutputs {
        let clock = Stopwatch()
        let parts = try ModelParts(keeping: lower(batchSize: Trunk.batchSize, training: false))
        let trunk = try Trunk(parts, backend: options.makeBackend())
        var store = options.features
        if store.location == .none { store.location = .temporary }
        let pass = FeaturePass(
            cache: store, emit: { try emit(TrainingEvent($0)) }, checkCancellation: check,
            timeline: options.profiler?.timeline)
        let outcomes = try pass.run(
            [FeaturePass.Request(dataset: examples, trunk: trunk)], pass.fingerprints(of: [(examples, 1)]))
        guard let outcome = outcomes.first else { throw GraftError(.state, "the pass over the images gave nothing") }
        let unreadable = Set(outcome.failures.map(\.index))
        let readable = (0..<examples.count).filter { !unreadable.contains($0) }
        let widths = outputs.map(\.shape.elementCount)
        var rows = widths.map { width in
            var empty: [Float] = []
            empty.reserveCapacity(width * readable.count)
            return empty
        }
        for start in stride(from: 0, to: readable.count, by: 256) {
            let batch = try outcome.source.fetch(Array(readable[start..<min(start + 256, readable.count)]))
            for (output, tensor) in batch.tensors.enumerated() { rows[output] += tensor.scalars }
        }
        return KeptOutputs(
            indices: readable, rows: rows, widths: widths, failures: outcome.failures,
            reusedCount: outcome.reusedCount, seconds: clock.seconds)
    }
}
