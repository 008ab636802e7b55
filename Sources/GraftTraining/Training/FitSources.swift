import GraftGraph
import GraftModel

/// The examples of a dataset as a run reads them, and those that turned out unreadable.
struct Examples {
    var source: any ExampleSource
    let count: Int
    /// The examples that cannot be read, as far as is known.
    private(set) var unreadable: Set<Int>

    init(_ source: any ExampleSource, count: Int, unreadable: some Sequence<ExampleFailure> = []) {
        (self.source, self.count, self.unreadable) = (source, count, Set(unreadable.map(\.index)))
    }

    /// The numbers of the others, in order.
    var readable: [Int] { (0..<count).filter { !unreadable.contains($0) } }

    /// The same examples with their features' rows packed, as they are kept; `nil` where there are none, or where they would
    /// take more than half of the memory so.
    func packed() throws -> Examples? {
        guard var features = source as? FeatureSource, let byteCount = try features.packedByteCount(of: readable),
            2 * byteCount <= features.byteCount
        else { return nil }
        features.isPacked = true
        var examples = self
        examples.source = features
        return examples
    }

    /// Leaves out examples that another process found to be unreadable.
    mutating func leaveOut(_ indices: Set<Int>) { unreadable.formUnion(indices) }

    /// Remembers examples that cannot be read.
    ///
    /// - Returns: those that were not known before.
    mutating func leaveOut(_ failures: [ExampleFailure]) -> [ExampleFailure] {
        failures.filter { unreadable.insert($0.index).inserted }
    }
}

/// Where a run's examples come from: kept features where the model has a trunk that is worth it, else decoding.
struct FitSources {
    var training: Examples
    var validation: Examples?
    /// The wall time of finding and computing features.
    var trunkSeconds = 0.0
    /// How many features were found.
    var reusedCount = 0

    /// Decodes at every step.
    init(decoding training: any Dataset, _ validation: (any Dataset)?) {
        self.training = Examples(DecodedSource(dataset: training), count: training.count)
        self.validation = validation.map { Examples(DecodedSource(dataset: $0), count: $0.count) }
    }

    /// Reads features, after a pass over what is not kept yet.
    init(
        pass: FeaturePass, over training: any Dataset, _ validation: (any Dataset)?, _ trained: TrainedModel,
        backend: any Backend
    ) throws {
        let clock = Stopwatch()
        // Read while the trunk's numbers are hashed.
        let fingerprints = pass.fingerprints(of: [training] + (validation.map { [$0] } ?? []))
        var requests: [FeaturePass.Request] = []
        for (dataset, isTraining) in [(training, true), (validation, false)] {
            guard let dataset else { continue }
            let parts = try trained.parts(batchSize: Trunk.batchSize, training: isTraining)
            let trunk = try Trunk(parts, backend: backend, like: requests.first?.trunk)
            requests.append(FeaturePass.Request(dataset: dataset, trunk: trunk))
        }
        let outcomes = try pass.run(requests, fingerprints)
        // The trunk's memory will do for the head's.
        backend.releaseMemory()
        let examples = outcomes.map { outcome in
            Examples(outcome.source, count: outcome.source.dataset.count, unreadable: outcome.failures)
        }
        (self.training, self.validation) = (examples[0], examples.count > 1 ? examples[1] : nil)
        reusedCount = outcomes.reduce(0) { $0 + $1.reusedCount }
        trunkSeconds = clock.seconds
    }
}
