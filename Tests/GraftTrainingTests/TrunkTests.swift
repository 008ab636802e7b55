import Foundation
import GraftApplications
import GraftCPU
import GraftGraph
import GraftModel
import GraftTestSupport
import Synchronization
import Testing

@testable import GraftFeatures
@testable import GraftTraining

@Suite struct TrunkTests {
    private let root = TemporaryFolder()

    // MARK: Equal to the live network

    @Test func trainingOnFeaturesEqualsTrainingTheLiveNetwork() throws {
        let data = try pictures()
        func run(_ cache: FeatureCache) throws -> (weights: [Tensor], history: History) {
            let model = try frozenBaseWithHead(dropout: 0.3)
            let history = try model.fit(
                data, batchSize: 6, epochs: 3, validation: data, options: TrainingOptions(features: cache, threads: 1))
            return (model.weights, history)
        }
        let (live, kept) = (try run(.off), try run(.folder(root.path)))
        for (left, right) in zip(live.weights, kept.weights) {
            // Sums of another order in float32, through twelve steps.
            expectClose(right.scalars, left.scalars, tolerance: 1e-4, "a variable")
        }
        for key in live.history.values.keys {
            expectClose(kept.history[key].map(Float.init), live.history[key].map(Float.init), tolerance: 1e-4, key)
        }
    }

    @Test func theTrunkRunsOncePerImageNotOncePerEpoch() throws {
        let backend = ReferenceBackend()
        let data = try pictures(count: 40)
        let history = try frozenBaseWithHead().fit(data, batchSize: 8, epochs: 5, options: options(backend))
        #expect(backend.runs["pictures"] == 3)  // batches of 16, 16 and 8
        #expect(backend.runs["feature.0"] == 25)
        #expect(history.reusedFeatureCount == 0)
    }

    @Test(arguments: [8, 100])
    func validationTakesKeptFeatures64AtOnceOrALargerBatchWhereThatIsAskedFor(batchSize: Int) throws {
        let data = try pictures(count: 130)
        var sizes: [Int] = []
        let counter = EventHandler { event in
            if case .validation(_, let progress) = event { sizes.append(progress.done) }
        }
        try frozenBaseWithHead().fit(
            data, batchSize: batchSize, validation: data, callbacks: [counter],
            options: TrainingOptions(features: .folder(root.path), threads: 1))
        #expect(sizes == (batchSize == 8 ? [64, 128, 130] : [100, 130]))
    }

    /// 3 MB an example: five of them are within 16 MB.
    @Test func largeFeaturesAreValidatedInSmallBatches() throws {
        let folder = try FeatureFolder(path: root.path, rowByteCount: 16)
        func batchSize(_ shape: Shape, asked: Int) throws -> Int {
            let source = try FeatureSource(
                dataset: pictures(count: 1), keys: [], kept: folder, uncacheable: [], temporary: nil, shapes: [shape])
            return try Validation.batchSize(asked: asked, of: Examples(source, count: 1))
        }
        #expect(try batchSize([64, 64, 192], asked: 4) == 5)
        #expect(try batchSize([64, 64, 192], asked: 20) == 20)
        #expect(try batchSize([7, 7, 768], asked: 20) == 64)
    }

    @Test func theTrunkOfInceptionV3EndsAtTheCutAndTheHeadStaysOut() throws {
        let base = try InceptionV3(includeTop: false, inputShape: [150, 150, 3])
        base.freeze()
        let hidden = try Dense(1024, activation: .relu)(Flatten()(base.layer(named: "mixed7").output))
        let model = try Model(inputs: base.input, outputs: Dense(1, activation: .sigmoid)(Dropout(0.2)(hidden)))
        for training in [true, false] {
            let trained = try TrainedModel(model, mayKeepTrunk: true)
            #expect(trained.keepsTrunk)
            #expect(trained.trainableParameters == 38_537_217)
            let parts = try trained.parts(batchSize: 20, training: training)
            let trunk = try #require(parts.trunk)
            #expect(trunk.outputs.map(trunk.shape(of:)) == [[20, 7, 7, 768]])
            #expect(parts.inputNames == ["feature.0"])
            #expect(parts.graph.readVariables.count == 4)
        }
        try base.unfreeze(from: "mixed6")
        let fineTuned = try TrainedModel(model, mayKeepTrunk: true).parts(batchSize: 20, training: true)
        let trunk = try #require(fineTuned.trunk)
        // mixed6 alone: the pooling after it has nothing to train either, and is cheaper to compute than to keep.
        #expect(trunk.outputs.map(trunk.shape(of:)) == [[20, 7, 7, 768]])
        #expect(!fineTuned.graph.updates.isEmpty)
    }

    @Test func aFrozenModelInsideAStackIsATrunk() throws {
        let base = try Sequential([Conv2D(4, kernelSize: 3, activation: .relu)], inputShape: [6, 6, 3], seed: 2)
        base.freeze()
        let model = try Sequential([base, Flatten(), Dense(2, activation: .softmax)], seed: 2)
        try model.compile(optimizer: SGD(), loss: .sparseCategoricalCrossentropy)
        let backend = ReferenceBackend()
        try model.fit(pictures(count: 16), batchSize: 8, epochs: 3, options: options(backend))
        #expect(backend.runs["feature.0"] == 6)
        #expect(base.weights == model.nonTrainableVariables.map(\.value))
    }

    @Test func aTrunkWithoutProductsIsNotKept() throws {
        let data = try pictures(count: 16)
        let model = try Sequential(
            [Rescaling(1 / 255), Flatten(), Dense(2, activation: .softmax)], inputShape: [6, 6, 3], seed: 1)
        try model.compile(optimizer: SGD(), loss: .sparseCategoricalCrossentropy)
        let outline = OutlineRecorder()
        try model.fit(data, callbacks: [outline], options: options(ReferenceBackend()))
        #expect(outline.outline?.keepsFeatures == false)
        #expect(FeatureFolder.names(in: root.path).isEmpty)
    }

    @Test func unfreezingTakesEffectAtTheNextFit() throws {
        let data = try pictures(count: 16)
        let model = try frozenBaseWithHead()
        try model.fit(data, batchSize: 8, options: options(ReferenceBackend()))
        let before = try model.predict(data).outputs[0]
        model.layers[1].trainable = true
        #expect(try model.predict(data).outputs[0] == before)
        let backend = ReferenceBackend()
        let kernel = model.layers[1].weights
        try model.fit(data, batchSize: 8, options: options(backend))
        #expect(backend.runs["pictures"] == 2)
        #expect(backend.runs["feature.0"] == 0)
        #expect(model.layers[1].weights != kernel)
    }

    @Test func frozenVariablesOfATrunkKeepEveryBit() throws {
        let model = try frozenBaseWithHead()
        let before = model.nonTrainableVariables.map(\.value)
        try model.fit(pictures(), batchSize: 6, epochs: 2, options: options(ReferenceBackend()))
        #expect(model.nonTrainableVariables.map(\.value) == before)
        #expect(before.count == 6)
    }

    @Test func anUnfrozenNormalizationKeepsItsStatistics() throws {
        let data = try pictures(count: 16)
        let model = try frozenBaseWithHead()
        model.layers[2].trainable = true
        let mean = try model.layers[2].requireVariable("moving_mean")
        let before = mean.value
        try model.fit(data, batchSize: 8, options: options(ReferenceBackend()))
        #expect(mean.value != before)
    }

    /// A batch of one must be cut where others are, though its statistics look like those of each example.
    @Test func aLastBatchOfOneExampleTrainsOnTheSameFeatures() throws {
        func weights(_ cache: FeatureCache) throws -> [Tensor] {
            let model = try frozenBaseWithHead()
            model.layers[2].trainable = true
            try model.fit(
                pictures(count: 9), batchSize: 8, epochs: 2, validation: pictures(count: 9), shuffle: false,
                options: TrainingOptions(features: cache, threads: 1))
            return model.weights
        }
        for (kept, live) in zip(try weights(.temporary), try weights(.off)) {
            expectClose(kept.scalars, live.scalars, tolerance: 1e-4, "a variable")
        }
    }

    // MARK: Kept and found again

    @Test func aSecondRunComputesNothingWhateverItsHead() throws {
        let data = try pictures(count: 20)
        try frozenBaseWithHead().fit(data, batchSize: 8, options: options(ReferenceBackend()))
        let backend = ReferenceBackend()
        let history = try frozenBaseWithHead(units: 7).fit(data, batchSize: 4, epochs: 2, options: options(backend))
        #expect(backend.runs["pictures"] == 0)
        #expect(backend.runs["feature.0"] == 10)
        #expect(history.reusedFeatureCount == 20)
    }

    @Test func onlyNewImagesAreComputed() throws {
        try frozenBaseWithHead().fit(pictures(count: 20), options: options(ReferenceBackend()))
        let history = try frozenBaseWithHead().fit(pictures(count: 30), options: options(ReferenceBackend()))
        #expect(history.reusedFeatureCount == 20)
    }

    @Test func otherWeightsAreAnotherTrunk() throws {
        let data = try pictures(count: 20)
        try frozenBaseWithHead().fit(data, options: options(ReferenceBackend()))
        let other = try frozenBaseWithHead(seed: 9)
        #expect(try other.fit(data, options: options(ReferenceBackend())).reusedFeatureCount == 0)
        #expect(FeatureFolder.names(in: root.path).count == 2)
    }

    @Test func damagedFeaturesAreComputedAgain() throws {
        let data = try pictures(count: 20)
        let first = try frozenBaseWithHead()
        try first.fit(data, batchSize: 8, shuffle: false, options: options(ReferenceBackend()))
        let folder = root.path + "/" + FeatureFolder.names(in: root.path)[0]
        let shard = try #require(FeatureFolder.names(in: folder).first { $0.hasSuffix(FeatureFolder.shardSuffix) })
        var bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + shard))
        bytes[ShardTable.headerByteCount + 3] ^= 1
        try bytes.write(to: URL(fileURLWithPath: folder + "/" + shard))
        let second = try frozenBaseWithHead()
        let history = try second.fit(data, batchSize: 8, shuffle: false, options: options(ReferenceBackend()))
        #expect(history.reusedFeatureCount == 0)
        #expect(second.weights == first.weights)
    }

    @Test func damageAmongTheValidationImagesSparesTheTrainingImages() throws {
        // Both stand in one file: the first run has the validation images in its training data.
        let all = try pictures(count: 20)
        try frozenBaseWithHead().fit(all, options: options(ReferenceBackend()))
        let folder = root.path + "/" + FeatureFolder.names(in: root.path)[0]
        let shard = try #require(FeatureFolder.names(in: folder).first { $0.hasSuffix(FeatureFolder.shardSuffix) })
        var bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + shard))
        bytes[ShardTable.headerByteCount + 3] ^= 1
        try bytes.write(to: URL(fileURLWithPath: folder + "/" + shard))
        func part(_ rows: Range<Int>) throws -> ArrayDataset {
            try ArrayDataset(inputs: all.inputs[0].rows(Array(rows)), targets: all.targets[0].rows(Array(rows)))
        }
        let history = try frozenBaseWithHead().fit(
            part(0..<10), validation: part(10..<20), options: options(ReferenceBackend()))
        #expect(history.reusedFeatureCount == 0)
        #expect(history["val_loss"].count == 1)
    }

    @Test func anInterruptedPassKeepsWhatItComputed() throws {
        let flag = CancellationFlag()
        var interrupted = options(ReferenceBackend())
        interrupted.cancellation = flag
        let stopper = EventHandler { event in
            if case .features(let progress) = event, progress.done == 64 { flag.cancel() }
        }
        let data = try pictures(count: 100)
        let model = try frozenBaseWithHead()
        let weights = model.weights
        let history = try model.fit(data, callbacks: [stopper], options: interrupted)
        #expect(history.isInterrupted)
        #expect(history.epochs.isEmpty)
        #expect(model.weights == weights)
        let again = try model.fit(data, options: options(ReferenceBackend()))
        #expect(again.reusedFeatureCount == 64)
    }

    @Test func examplesWithoutFingerprintAreNotKept() throws {
        let data = Flaky(base: try pictures(count: 20), withoutFingerprint: Set(5..<15))
        try frozenBaseWithHead().fit(data, epochs: 2, options: options(ReferenceBackend()))
        let history = try frozenBaseWithHead().fit(data, epochs: 2, options: options(ReferenceBackend()))
        #expect(history.reusedFeatureCount == 10)
    }

    @Test func twoRunsAtOnceShareOneCache() async throws {
        let root = root
        let weights = try await withThrowingTaskGroup(of: [Tensor].self) { group in
            for _ in 0..<3 {
                group.addTask {
                    let model = try frozenBaseWithHead()
                    var options = TrainingOptions(features: .folder(root.path))
                    options.backend = ReferenceBackend()
                    try model.fit(pictures(count: 40), batchSize: 8, options: options)
                    return model.weights
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(weights.count == 3)
        #expect(weights.allSatisfy { $0 == weights[0] })
    }

    @Test func featuresBeyondTheLimitAreKeptForTheRunAlone() throws {
        var tight = options(ReferenceBackend())
        tight.features.byteLimit = 100
        let data = try pictures(count: 20)
        let model = try frozenBaseWithHead()
        try model.fit(data, epochs: 2, options: tight)
        let folder = root.path + "/" + FeatureFolder.names(in: root.path)[0]
        #expect(FeatureFolder.names(in: folder) == ["lock"])
        let unlimited = try frozenBaseWithHead()
        #expect(try unlimited.fit(data, epochs: 2, options: options(ReferenceBackend())).reusedFeatureCount == 0)
        #expect(model.weights == unlimited.weights)
    }

    // MARK: Examples that cannot be read

    @Test(arguments: [true, false])
    func unreadableExamplesAreLeftOutAndNamed(keepsFeatures: Bool) throws {
        let data = Flaky(base: try pictures(count: 40), unreadable: [3, 17, 39])
        var options = options(ReferenceBackend())
        if !keepsFeatures { options.features = .off }
        let problems = ProblemRecorder()
        let history = try frozenBaseWithHead().fit(
            data, batchSize: 8, epochs: 3, validation: data, callbacks: [problems], options: options)
        #expect(history.epochs == [1, 2, 3])
        // Once from the training and once from the validation data.
        #expect(history.failures.map(\.index).sorted() == [3, 3, 17, 17, 39, 39])
        #expect(problems.failures == history.failures)
        #expect(history.exampleCount == 74)
    }

    @Test func trainingWithoutUnreadableExamplesIsTrainingOnTheOthers() throws {
        let all = try pictures(count: 20)
        let rest = (0..<20).filter { $0 != 4 }
        let others = try ArrayDataset(inputs: all.inputs[0].rows(rest), targets: all.targets[0].rows(rest))
        func weights(_ data: any Dataset, _ cache: FeatureCache) throws -> [Tensor] {
            let model = try frozenBaseWithHead()
            try model.fit(
                data, batchSize: 8, epochs: 2, shuffle: false, options: TrainingOptions(features: cache, threads: 1))
            return model.weights
        }
        let flaky = Flaky(base: all, unreadable: [4])
        #expect(try weights(flaky, .off) == weights(others, .off))
        #expect(try weights(flaky, .temporary) == weights(others, .temporary))
    }

    @Test func nothingReadableThrows() throws {
        let data = Flaky(base: try pictures(count: 10), unreadable: Set(0..<10))
        for cache in [FeatureCache.off, .temporary] {
            #expect {
                try frozenBaseWithHead().fit(data, options: TrainingOptions(features: cache))
            } throws: {
                ($0 as? GraftError)?.message == "none of the examples can be read; the first one: 0.jpg: broken"
            }
        }
    }

    @Test func predictionsNameTheirExamplesAndTheFailures() throws {
        let all = try pictures(count: 20)
        let model = try frozenBaseWithHead()
        let predictions = try model.predict(Flaky(base: all, unreadable: [0, 7]), batchSize: 4)
        #expect(predictions.indices == (1..<20).filter { $0 != 7 })
        #expect(predictions.failures.map(\.index) == [0, 7])
        let complete = try model.predict(all, batchSize: 4).outputs[0]
        #expect(predictions.outputs[0] == complete.rows(predictions.indices))
    }

    private func options(_ backend: ReferenceBackend) -> TrainingOptions {
        var options = TrainingOptions(features: .folder(root.path))
        options.backend = backend
        return options
    }
}

final class OutlineRecorder: Callback {
    private(set) var outline: TrainingOutline?
    func handle(_ event: TrainingEvent, in run: TrainingRun) {
        if case .began(let outline) = event { self.outline = outline }
    }
}

final class ProblemRecorder: Callback {
    private(set) var failures: [ExampleFailure] = []
    func handle(_ event: TrainingEvent, in run: TrainingRun) {
        if case .problem(let failure) = event { failures.append(failure) }
    }
}

/// A dataset of which some examples cannot be read or have no fingerprint.
struct Flaky: Dataset {
    let base: ArrayDataset
    var unreadable: Set<Int> = []
    var withoutFingerprint: Set<Int> = []

    var count: Int { base.count }
    var classNames: [String]? { nil }
    var inputRule: InputRule? { nil }

    func batch(_ indices: [Int]) throws -> Batch {
        var batch = try base.batch(indices.filter { !unreadable.contains($0) })
        batch.failures = indices.filter(unreadable.contains).map {
            ExampleFailure(index: $0, path: "\($0).jpg", message: "broken")
        }
        return batch
    }

    func targets(of indices: [Int]) throws -> [Tensor] { try base.targets(of: indices) }

    func fingerprint(of index: Int) throws -> String? {
        if unreadable.contains(index) { throw GraftError(.image, "broken") }
        return withoutFingerprint.contains(index) ? nil : try base.fingerprint(of: index)
    }
}

/// A frozen convolution with normalization and a trainable head of two layers.
func frozenBaseWithHead(units: Int = 5, dropout: Double? = nil, seed: UInt64 = 4) throws -> Model {
    let input = Input(shape: [6, 6, 3], name: "pictures")
    let base = try BatchNormalization()(Conv2D(4, kernelSize: 3, activation: .relu)(input))
    var x = try Dense(units, activation: .relu)(Flatten()(base))
    if let dropout { x = try Dropout(dropout)(x) }
    let model = try Model(inputs: input, outputs: Dense(2, activation: .softmax)(x), seed: seed)
    model.layers[1].trainable = false
    model.layers[2].trainable = false
    try model.compile(optimizer: Adam(learningRate: 0.01), loss: .sparseCategoricalCrossentropy, metrics: [.accuracy])
    return model
}

/// Random pictures in two classes.
func pictures(count: Int = 26) throws -> ArrayDataset {
    let random = RandomStream(key: 8, stream: 0)
    let pixels = (0..<(count * 108)).map { random.uniform(at: $0) }
    let targets = (0..<count).map { Float($0 % 2) }
    return try ArrayDataset(
        inputs: Tensor(pixels, shape: [count, 6, 6, 3]), targets: Tensor(targets, shape: [count]))
}
