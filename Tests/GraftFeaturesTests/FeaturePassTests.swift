import GraftCPU
import GraftTestSupport
import Testing

@testable import GraftFeatures

/// The pass over the trunk as it is without training: models are not compiled, and nobody knows of epochs.
@Suite struct FeaturePassTests {
    private let root = TemporaryFolder()

    @Test(arguments: [Dropout(0.5), SpatialDropout2D(0.5), GaussianNoise(0.5)] as [Layer])
    func theTrunkEndsBeforeALayerThatActsAtRandom(_ random: Layer) throws {
        let input = Input(shape: [6, 6, 3])
        let (before, after) = (Conv2D(4, kernelSize: 3), Conv2D(2, kernelSize: 3))
        (before.trainable, after.trainable) = (false, false)
        let features = try after(random(before(input)))
        let model = try Model(inputs: input, outputs: Dense(2)(Flatten()(features)))
        let trunk = try #require(try parts(model, batchSize: 5).trunk)
        #expect(trunk.outputs.map(trunk.shape(of:)) == [[5, 4, 4, 4]])
    }

    /// Three threads are three runs at once, four are four, five are one run of all threads.
    @Test func featuresDoNotDependOnHowManyRunsComputeThem() throws {
        let data = try Images(count: 150, unreadable: [2, 40, 41, 149])
        func features(threads: Int) throws -> (rows: Tensor, failures: [Int]) {
            let trunk = try trunk(threads: threads)
            #expect(trunk.concurrentRuns == (threads == 5 ? 1 : threads))
            let pass = FeaturePass(cache: .folder("\(root.path)/\(threads)"), emit: { _ in }, checkCancellation: {})
            let outcome = try pass.run([.init(dataset: data, trunk: trunk)], pass.fingerprints(of: [(data, 1)]))[0]
            let readable = (0..<150).filter { ![2, 40, 41, 149].contains($0) }
            return (try outcome.source.fetch(readable).tensors[0], outcome.failures.map(\.index))
        }
        let one = try features(threads: 1)
        #expect(one.failures == [2, 40, 41, 149])
        for threads in 2...5 {
            let several = try features(threads: threads)
            #expect(several.failures.sorted() == one.failures)
            #expect(several.rows == one.rows)
        }
    }

    @Test func thePassTellsWhatItFindsComputesAndCannotRead() throws {
        func run(count: Int) throws -> Events {
            let (data, events) = (try Images(count: count, unreadable: [7]), Events())
            let pass = FeaturePass(cache: .folder(root.path), emit: events.take, checkCancellation: {})
            let outcome = try pass.run(
                [.init(dataset: data, trunk: trunk(threads: 1))], pass.fingerprints(of: [(data, 1)]))[0]
            #expect(outcome.reusedCount == events.found.reduce(0, +))
            #expect(outcome.failures == events.unreadable)
            return events
        }
        let first = try run(count: 20)
        // A batch of 16 takes one example more in place of the one that cannot be read.
        #expect(first.found.isEmpty && first.done == [17, 20] && first.unreadable.map(\.index) == [7])
        let second = try run(count: 40)
        #expect(second.found == [19] && second.done == [17, 21] && second.unreadable.map(\.index) == [7])
    }

    @Test func whatIsNeededIsToldBeforeAnythingIsComputed() throws {
        let (data, trunk, events) = (try Images(count: 20), try trunk(threads: 1), Events())
        let pass = FeaturePass(cache: .folder(root.path), emit: events.take, checkCancellation: {})
        for _ in 0..<2 {
            _ = try pass.run([.init(dataset: data, trunk: trunk)], pass.fingerprints(of: [(data, 1)]))
        }
        // Nothing is missing the second time. A row has 4 · 4 · 4 numbers of four bytes.
        let demand = FeatureDemand(
            views: 1, missing: 20, byteCount: 20 * 256, keptByteCount: 0, byteLimit: 10_000_000_000)
        #expect(events.needed == [demand])
    }

    @Test func theSameExampleTwiceIsComputedOnceAndMissingTwice() throws {
        var data = try Images(count: 20, unreadable: [7])
        data.twins = [3: 2, 8: 7]
        let (trunk, events) = (try trunk(threads: 1), Events())
        let pass = FeaturePass(cache: .folder(root.path), emit: events.take, checkCancellation: {})
        let outcome = try pass.run([.init(dataset: data, trunk: trunk)], pass.fingerprints(of: [(data, 1)]))[0]
        // The twin of the one that cannot be read is not told of again, and is left out.
        #expect(events.needed.map(\.missing) == [18] && events.unreadable.map(\.index) == [7])
        #expect(outcome.failures.map(\.index).sorted() == [7, 8] && outcome.reusedCount == 0)
        #expect(try outcome.source.fetch([3]).tensors[0] == outcome.source.fetch([2]).tensors[0])
    }

    @Test func augmentedFeaturesChangeWithinTheirChannelsRangeAndFollowFromEpochAndExample() throws {
        let (data, trunk) = (try Images(count: 12), try trunk(threads: 1))
        let pass = FeaturePass(cache: .folder(root.path), emit: { _ in }, checkCancellation: {})
        let source = try pass.run([.init(dataset: data, trunk: trunk)], pass.fingerprints(of: [(data, 1)]))[0].source
        let all = Array(0..<12)
        let plain = try source.fetch(all).tensors[0]
        let augmentation = try FeatureAugmentation("brightness:0.5")
        let augmented = try AugmentedFeatureSource(source, augmentation, over: all, seed: 3)
        let changed = try augmented.inEpoch(2).fetch(all).tensors[0]
        #expect(changed.shape == plain.shape && changed.shape == [12, 4, 4, 4])
        var largest: Float = 0
        for channel in 0..<4 {
            let places = stride(from: channel, to: plain.count, by: 4)
            let values = places.map { plain[$0] }
            let range = (values.max() ?? 0) - (values.min() ?? 0)
            for example in 0..<12 {
                let own = (0..<16).map { 64 * example + 4 * $0 + channel }
                let changes = own.map { changed[$0] - plain[$0] }
                // All places of a channel by the same number: 1e-5 is rounding of numbers near 1.
                #expect(changes.allSatisfy { abs($0 - changes[0]) < 1e-5 && abs($0) <= 0.5 * range + 1e-5 })
                largest = max(largest, abs(changes[0]) / range)
            }
        }
        // Of 48 uniform draws one comes near the end.
        #expect(largest > 0.4)
        // In any batch, on any day; otherwise in another epoch and with another seed.
        let alone = try augmented.inEpoch(2).fetch([5]).tensors[0].scalars
        #expect(alone == Array(changed.scalars[(5 * 64)..<(6 * 64)]))
        #expect(try augmented.inEpoch(3).fetch(all).tensors[0] != changed)
        let other = try AugmentedFeatureSource(source, augmentation, over: all, seed: 4)
        #expect(try other.inEpoch(2).fetch(all).tensors[0] != changed)
    }

    @Test(arguments: ["brightness:0", "brightness:11", "brightness:x", "contrast", "brightness:1:2", ""])
    func wrongAugmentationsOfFeaturesAreNamed(_ text: String) {
        let error = #expect(throws: GraftError.self) { try FeatureAugmentation(text) }
        #expect(error?.code == .argument)
    }

    @Test func aPassThatIsStoppedKeepsWhatItComputed() throws {
        struct Stopped: Error {}
        let (data, trunk) = (try Images(count: 40), try trunk(threads: 1))
        var batches = 0
        let pass = FeaturePass(cache: .folder(root.path), emit: { _ in }) {
            batches += 1
            if batches == 3 { throw Stopped() }
        }
        #expect(throws: Stopped.self) {
            try pass.run([.init(dataset: data, trunk: trunk)], pass.fingerprints(of: [(data, 1)]))
        }
        let events = Events()
        let again = FeaturePass(cache: .folder(root.path), emit: events.take, checkCancellation: {})
        let outcome = try again.run([.init(dataset: data, trunk: trunk)], again.fingerprints(of: [(data, 1)]))[0]
        // It is asked once when the trunk is ready, then before each batch: the second of them was not kept.
        #expect(outcome.reusedCount == 16 && events.done == [16, 24])
    }

    private func parts(_ model: Model, batchSize: Int = Trunk.batchSize) throws -> ModelParts {
        try ModelParts(model.lower(batchSize: batchSize, training: true), changing: Set(model.trainableVariables))
    }

    /// A frozen convolution with normalization under a head that trains.
    private func trunk(threads: Int) throws -> Trunk {
        let input = Input(shape: [6, 6, 3])
        let (convolution, normalization) = (Conv2D(4, kernelSize: 3, activation: .relu), BatchNormalization())
        (convolution.trainable, normalization.trainable) = (false, false)
        let base = try normalization(convolution(input))
        let model = try Model(inputs: input, outputs: Dense(2)(Flatten()(base)), seed: 4)
        return try Trunk(parts(model), backend: CPUBackend(options: CPUOptions(threads: threads)))
    }
}

/// What a pass told.
private final class Events {
    private(set) var found: [Int] = []
    private(set) var done: [Int] = []
    private(set) var needed: [FeatureDemand] = []
    private(set) var unreadable: [ExampleFailure] = []

    func take(_ event: FeatureEvent) {
        switch event {
        case .found(let count): found.append(count)
        case .needed(let demand): needed.append(demand)
        case .computed(let progress): done.append(progress.done)
        case .unreadable(let failure): unreadable.append(failure)
        }
    }
}

/// Random images, of which some cannot be read.
private struct Images: Dataset {
    let base: ArrayDataset
    let unreadable: Set<Int>
    /// Examples that are the same as another one.
    var twins: [Int: Int] = [:]
    var count: Int { base.count }
    var classNames: [String]? { nil }
    var inputRule: InputRule? { nil }

    init(count: Int, unreadable: Set<Int> = []) throws {
        let random = RandomStream(key: 8, stream: 0)
        let pixels = (0..<(count * 108)).map { random.uniform(at: $0) }
        base = try ArrayDataset(inputs: Tensor(pixels, shape: [count, 6, 6, 3]))
        self.unreadable = unreadable
    }

    func batch(_ indices: [Int]) throws -> Batch {
        var batch = try base.batch(indices.filter { !unreadable.contains($0) })
        batch.failures = indices.filter(unreadable.contains).map {
            ExampleFailure(index: $0, path: "\($0).jpg", message: "broken")
        }
        return batch
    }

    func targets(of indices: [Int]) throws -> [Tensor] { [] }

    func fingerprint(of index: Int) throws -> String? {
        let own = twins[index] ?? index
        // A file whose bytes can be read and not decoded has one.
        if unreadable.contains(own), twins.isEmpty { throw GraftError(.image, "broken") }
        return try base.fingerprint(of: own)
    }
}
