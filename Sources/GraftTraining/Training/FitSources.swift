import GraftData
import GraftFeatures
import GraftGraph
import GraftModel

/// The examples of a dataset as a run reads them, and those that turned out unreadable; one that is, is so in all views.
struct Examples {
    var source: any ExampleSource
    /// The number of examples, however many views each has.
    let count: Int
    /// The views that epochs draw, one after the other.
    let views: Int
    /// The view that the run's first epoch draws.
    var firstView = 0
    /// The examples that cannot be read, as far as is known.
    private(set) var unreadable: Set<Int>

    init(_ source: any ExampleSource, count: Int, views: Int = 1, unreadable: some Sequence<ExampleFailure> = []) {
        (self.source, self.count, self.views) = (source, count, views)
        self.unreadable = Set(unreadable.map { $0.index % max(count, 1) })
    }

    /// The numbers of the others in the first view, in order.
    var readable: [Int] { (0..<count).filter { !unreadable.contains($0) } }

    /// Has features handed over compressed where that makes them small.
    mutating func compress() throws {
        guard let features = source as? FeatureSource else { return }
        source = try features.compressed(for: readable.map { firstView * count + $0 })
    }

    /// Has features augmented each time that they are read, by the ranges of the first view, which every part of a run has.
    mutating func augment(_ augmentation: FeatureAugmentation, seed: UInt64) throws {
        guard let features = source as? FeatureSource else { return }
        source = try AugmentedFeatureSource(features, augmentation, over: readable, seed: seed)
    }

    /// What is read in an epoch, counted since `compile`.
    func source(inEpoch epoch: Int) -> any ExampleSource {
        (source as? AugmentedFeatureSource)?.inEpoch(epoch) ?? source
    }

    /// Whether examples are kept features, which are quicker to read than a step takes.
    var areFeatures: Bool { source is FeatureSource || source is AugmentedFeatureSource }

    /// Whether inputs come as rows compressed by a bitmap.
    var isBitmap: Bool { (source as? FeatureSource)?.isBitmap ?? false }

    /// Leaves out examples that another process found to be unreadable.
    mutating func leaveOut(_ indices: Set<Int>) { unreadable.formUnion(indices) }

    /// Remembers examples that cannot be read, whichever view of them was asked for.
    ///
    /// - Returns: those that were not known before, with the numbers of their first views.
    mutating func leaveOut(_ failures: [ExampleFailure]) -> [ExampleFailure] {
        failures.compactMap { failure in
            var failure = failure
            failure.index %= max(count, 1)
            return unreadable.insert(failure.index).inserted ? failure : nil
        }
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
        self.training = Examples(
            DecodedSource(dataset: training), count: training.count, views: training.views)
        self.validation = validation.map { Examples(DecodedSource(dataset: $0), count: $0.count) }
    }

    /// Reads features, after a pass over what is not kept yet.
    ///
    /// - Parameters:
    ///   - epochs: the epochs that are left, counted since `compile`; views that none of them draws need no features.
    ///   - augmentation: what is done to the training examples' features as they are read, and what it follows from.
    init(
        pass: FeaturePass, over training: any Dataset, _ validation: (any Dataset)?, _ trained: TrainedModel,
        epochs: Range<Int>, backend: any Backend,
        augmentation: (FeatureAugmentation, seed: UInt64)? = nil
    ) throws {
        let clock = Stopwatch()
        // Read while the trunk's numbers are hashed.
        let drawn = Set(epochs.prefix(training.views).map { $0 % training.views })
        let views = augmentation == nil ? drawn : drawn.union([0])
        let fingerprints = pass.fingerprints(
            of: [(training, FeaturePass.count(of: views))] + (validation.map { [($0, 1)] } ?? []))
        var requests: [FeaturePass.Request] = []
        for (dataset, isTraining) in [(training, true), (validation, false)] {
            guard let dataset else { continue }
            let parts = try trained.parts(batchSize: Trunk.batchSize, training: isTraining)
            let trunk = try Trunk(parts, backend: backend, like: requests.first?.trunk)
            requests.append(FeaturePass.Request(dataset: dataset, trunk: trunk, views: isTraining ? views : [0]))
        }
        let outcomes = try pass.run(requests, fingerprints)
        let examples = outcomes.map { outcome in
            let dataset = outcome.source.dataset
            return Examples(
                outcome.source, count: dataset.count, views: dataset.views, unreadable: outcome.failures)
        }
        (self.training, self.validation) = (examples[0], examples.count > 1 ? examples[1] : nil)
        self.training.firstView = epochs.lowerBound % training.views
        if let (augmentation, seed) = augmentation { try self.training.augment(augmentation, seed: seed) }
        if trained.multipliesFeatures {
            try self.training.compress()
            try self.validation?.compress()
        }
        reusedCount = outcomes.reduce(0) { $0 + $1.reusedCount }
        trunkSeconds = clock.seconds
    }
}
