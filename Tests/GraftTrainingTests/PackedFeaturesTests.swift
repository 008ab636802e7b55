import GraftCPU
import GraftGraph
import GraftModel
import GraftTestSupport
import Synchronization
import Testing

@testable import GraftFeatures
@testable import GraftTraining

/// Features that stay packed until a product reads them.
@Suite struct PackedFeaturesTests {
    private let root = TemporaryFolder()

    /// A frozen convolution most of whose results are zero, and a head whose first layer has 2²⁰ weights.
    private func model(pooled: Bool = false, bias: Float = -0.4) throws -> Model {
        let input = Input(shape: [6, 6, 3], name: "pictures")
        let base = try Conv2D(64, kernelSize: 3, activation: .relu)(input)
        let flat = pooled ? try GlobalAveragePooling2D()(base) : try Flatten()(base)
        let hidden = try Dense(1024, activation: .relu)(flat)
        let model = try Model(inputs: input, outputs: Dense(2, activation: .softmax)(hidden), seed: 3)
        model.layers[1].trainable = false
        let variable = try #require(model.layers[1].variables.last)
        variable.value = Tensor(repeating: bias, shape: variable.shape)
        try model.compile(
            optimizer: RMSprop(learningRate: 1e-4), loss: .sparseCategoricalCrossentropy, metrics: [.accuracy])
        return model
    }

    private func train(_ backend: WatchedBackend, _ model: Model, pictureCount: Int = 130) throws -> History {
        var options = TrainingOptions(features: .folder(root.path), threads: 2)
        options.backend = backend
        let data = try pictures(count: pictureCount)
        return try model.fit(
            data, batchSize: 8, epochs: 3, validation: data, callbacks: [backend.validations], options: options)
    }

    @Test func packedFeaturesGiveTheBitsOfPlainOnes() throws {
        let (packed, plain) = (WatchedBackend(packs: true), WatchedBackend(packs: false))
        let models = try [model(), model()]
        let histories = try [train(packed, models[0]), train(plain, models[1])]
        #expect(packed.packedRuns.withLock { $0 } == ["feature.0"])
        #expect(plain.packedRuns.withLock { $0 }.isEmpty)
        for (left, right) in zip(models[0].weights, models[1].weights) {
            let isSame = left == right
            #expect(isSame)
        }
        #expect(histories[0]["loss"] == histories[1]["loss"])
        // Sums over other batches.
        for (left, right) in zip(histories[0]["val_loss"], histories[1]["val_loss"]) {
            #expect(abs(left - right) < 1e-6)
        }
        #expect(histories[0]["val_accuracy"] == histories[1]["val_accuracy"])
    }

    /// All of them at once, in each of three epochs; 64 with few zeros.
    @Test func manyCompressedExamplesAreValidatedAtOnce() throws {
        let (sparse, dense) = (WatchedBackend(packs: true), WatchedBackend(packs: true))
        _ = try train(sparse, model())
        _ = try train(dense, model(bias: 2))
        #expect(sparse.validations.sizes == [130, 130, 130])
        #expect(dense.validations.sizes == [64, 64, 2, 64, 64, 2, 64, 64, 2])
    }

    @Test func featuresThatSomethingElseReadsAreNotPacked() throws {
        let backend = WatchedBackend(packs: true)
        _ = try train(backend, model(pooled: true), pictureCount: 20)
        #expect(backend.packedRuns.withLock { $0 }.isEmpty)
        #expect(backend.validations.sizes == [20, 20, 20])
    }

    // MARK: Reading

    /// Rows of which a share is not zero.
    private func source(shares: [Double]) throws -> (FeatureSource, [[Float]]) {
        let shape: Shape = [10, 10, 3]
        let folder = try FeatureFolder(path: root.path, rowByteCount: 4 * shape.elementCount)
        let recorder = FeatureRecorder(folder: folder)
        let random = RandomStream(key: 1, stream: 2)
        var rows: [[Float]] = []
        var keys: [FeatureKey] = []
        for (number, share) in shares.enumerated() {
            keys.append(FeatureKey(fingerprint: "\(number)"))
            rows.append(
                (0..<shape.elementCount).map { index in
                    let position = 2 * (number * shape.elementCount + index)
                    return random.uniform(at: position) < Float(share) ? random.uniform(at: position + 1) : 0
                })
            try rows[number].withUnsafeBytes { try recorder.append($0, key: keys[number]) }
        }
        try recorder.finish()
        let source = try FeatureSource(
            dataset: pictures(count: shares.count), keys: keys, kept: folder, uncacheable: [], temporary: nil,
            shapes: [shape])
        return (source, rows)
    }

    @Test func rowsAreHandedOnAsTheyAreKept() throws {
        let (source, rows) = try source(shares: [0, 0.1, 0.5, 0.02])
        let packed = try compressed(source, count: 4)
        for order in [[0, 1, 2, 3], [2], [3, 1, 3]] {
            let batch = try packed.fetch(order)
            #expect(batch.isBitmap)
            #expect(batch.inputs[0].shape == Shape([order.count, 10, 10, 3]))
            #expect(batch.tensors[0].scalars == order.flatMap { rows[$0] })
            let plain = try source.fetch(order)
            #expect(!plain.isBitmap)
            #expect(plain.tensors == batch.tensors)
        }
    }

    /// One without a zero takes more as a mask and values, and is kept plain.
    @Test func aBatchWithAPlainRowIsPlain() throws {
        let (source, rows) = try source(shares: [0.1, 1, 0.1, 0.1])
        let packed = try compressed(source, count: 4)
        #expect(try packed.fetch([0, 2]).isBitmap)
        let batch = try packed.fetch([0, 1])
        #expect(!batch.isBitmap)
        #expect(batch.tensors[0].scalars == rows[0] + rows[1])
    }

    @Test func featuresWithFewZerosAreNotCompressed() throws {
        var examples = Examples(try source(shares: [0.6, 0.5, 0.4]).0, count: 3)
        try examples.compress()
        #expect(!examples.isBitmap)
    }

    private func compressed(_ source: FeatureSource, count: Int) throws -> any ExampleSource {
        var examples = Examples(source, count: count)
        try examples.compress()
        #expect(examples.isBitmap)
        return examples.source
    }

    @Test func aDamagedRowIsNotTakenPacked() throws {
        let (source, _) = try source(shares: [0.1, 0.1])
        let packed = try compressed(source, count: 2)
        let shard = try #require(FeatureFolder.names(in: root.path).first { $0.hasSuffix(FeatureFolder.shardSuffix) })
        let file = try File(ensuring: "\(root.path)/\(shard)")
        try withUnsafeBytes(of: UInt8(0x55)) { try file.write($0, at: ShardTable.headerByteCount + 3) }
        let error = #expect(throws: GraftError.self) { try packed.fetch([0, 1]) }
        #expect(error?.code == .format)
        #expect(try packed.fetch([1]).isBitmap)
    }
}

/// The CPU, with the names of the inputs that came compressed to plans that read them so, and with what validation did.
private final class WatchedBackend: Backend {
    let packs: Bool
    let packedRuns = Mutex<Set<String>>([])
    let validations = ValidationSizes()
    var capabilities: BackendCapabilities { BackendCapabilities(identity: "\(ObjectIdentifier(self))") }

    init(packs: Bool) { self.packs = packs }

    func compile(_ graph: Graph, _ options: PlanOptions) throws -> any Plan {
        let backend = CPUBackend(options: CPUOptions(threads: 2))
        return WatchedPlan(try backend.compile(graph, packs ? options : PlanOptions()), self)
    }
}

private final class WatchedPlan: Plan {
    private let plan: any Plan
    private let backend: WatchedBackend

    init(_ plan: any Plan, _ backend: WatchedBackend) { (self.plan, self.backend) = (plan, backend) }

    func bind(_ values: [VariableID: Tensor]) throws { try plan.bind(values) }
    func unbind() { plan.unbind() }
    func value(of variable: VariableID) -> Tensor? { plan.value(of: variable) }
    func feed(_ inputs: [String: HostArray]) throws -> any Feed {
        let read = (plan as? CPUPlan)?.bitmapInputs ?? []
        let compressed = inputs.filter { $0.value.isBitmap && read.contains($0.key) }.keys
        backend.packedRuns.withLock { $0.formUnion(compressed) }
        return try plan.feed(inputs)
    }
    func run(_ feed: any Feed, scalars: [String: Float], next: (any Feed)?, randomKey: UInt64) throws -> [Tensor] {
        try plan.run(feed, scalars: scalars, next: next, randomKey: randomKey)
    }
}

/// How many examples each step of a validation took.
private final class ValidationSizes: Callback, Sendable {
    private let steps = Mutex<[Int]>([])
    private let done = Mutex(0)
    var sizes: [Int] { steps.withLock { $0 } }

    func handle(_ event: TrainingEvent, in run: TrainingRun) {
        guard case .validation(_, let progress) = event else { return }
        let before = done.withLock { done in
            defer { done = progress.done == progress.total ? 0 : progress.done }
            return done
        }
        steps.withLock { $0.append(progress.done - before) }
    }
}
