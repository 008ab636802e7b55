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
        if unreadable.contains(index) { throw GraftError(.image, "broken") }
        return try base.fingerprint(of: index)
    }
}
