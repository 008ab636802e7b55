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
    private func model(pooled: Bool = false) throws -> Model {
        let input = Input(shape: [6, 6, 3], name: "pictures")
        let base = try Conv2D(64, kernelSize: 3, activation: .relu)(input)
        let flat = pooled ? try GlobalAveragePooling2D()(base) : try Flatten()(base)
        let hidden = try Dense(1024, activation: .relu)(flat)
        let model = try Model(inputs: input, outputs: Dense(2, activation: .softmax)(hidden), seed: 3)
        model.layers[1].trainable = false
        let bias = try #require(model.layers[1].variables.last)
        bias.value = Tensor(repeating: -0.4, shape: bias.shape)
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

    /// All of them at once, in each of three epochs; 64 that are not packed.
    @Test func manyPackedExamplesAreValidatedAtOnce() throws {
        let (packed, plain) = (WatchedBackend(packs: true), WatchedBackend(packs: false))
        _ = try (train(packed, model()), train(plain, model()))
        #expect(packed.validations.sizes == [130, 130, 130])
        #expect(plain.validations.sizes == [64, 64, 2, 64, 64, 2, 64, 64, 2])
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
            dataset: pictures(count: shares.count), keys: keys, kept: folder, unkept: [], temporary: nil,
            shapes: [shape])
        return (source, rows)
    }

    @Test func rowsAreHandedOnAsTheyAreKept() throws {
        let (source, rows) = try source(shares: [0, 0.1, 0.5, 0.02])
        let packed = try #require(try Examples(source, count: 4).packed()?.source)
        for order in [[0, 1, 2, 3], [2], [3, 1, 3]] {
            let batch = try packed.fetch(order)
            #expect(batch.isPacked)
            #expect(batch.inputs[0].shape == Shape([order.count, 10, 10, 3]))
            #expect(batch.inputs[0].scalars == order.flatMap { rows[$0] })
            let plain = try source.fetch(order)
            #expect(!plain.isPacked)
            #expect(plain.inputs[0] == batch.inputs[0])
        }
    }

    /// One without a zero takes more as a mask and values, and is kept plain.
    @Test func aBatchWithAPlainRowIsPlain() throws {
        let (source, rows) = try source(shares: [0.1, 1, 0.1, 0.1])
        let packed = try #require(try Examples(source, count: 4).packed()?.source)
        #expect(try packed.fetch([0, 2]).isPacked)
        let batch = try packed.fetch([0, 1])
        #expect(!batch.isPacked)
        #expect(batch.inputs[0].scalars == rows[0] + rows[1])
    }

    @Test func featuresWithFewZerosAreNotPacked() throws {
        #expect(try Examples(source(shares: [0.6, 0.5, 0.4]).0, count: 3).packed() == nil)
    }

    @Test func aDamagedRowIsNotTakenPacked() throws {
        let (source, _) = try source(shares: [0.1, 0.1])
        let packed = try #require(try Examples(source, count: 2).packed()?.source)
        let shard = try #require(FeatureFolder.names(in: root.path).first { $0.hasSuffix(FeatureFolder.shardSuffix) })
        let file = try File(ensuring: "\(root.path)/\(shard)")
        try withUnsafeBytes(of: UInt8(0x55)) { try file.write($0, at: ShardTable.headerByteCount + 3) }
        let error = #expect(throws: GraftError.self) { try packed.fetch([0, 1]) }
        #expect(error?.code == .format)
        #expect(try packed.fetch([1]).isPacked)
    }
}

/// The CPU, with the names of the inputs that came packed to plans that read them so, and with what validation did.
private final class WatchedBackend: Backend {
    let packs: Bool
    let packedRuns = Mutex<Set<String>>([])
    let validations = ValidationSizes()
    var precision: String { "float32" }
    var identity: String { "\(ObjectIdentifier(self))" }

    init(packs: Bool) { self.packs = packs }

    func makePlan(_ graph: Graph) throws -> any Plan { try makePlan(graph, packedInputs: []) }

    func makePlan(_ graph: Graph, packedInputs: Set<String>) throws -> any Plan {
        let backend = CPUBackend(options: CPUOptions(threads: 2))
        return WatchedPlan(try backend.makePlan(graph, packedInputs: packs ? packedInputs : []), self)
    }
}

private final class WatchedPlan: Plan {
    private let plan: any Plan
    private let backend: WatchedBackend

    init(_ plan: any Plan, _ backend: WatchedBackend) { (self.plan, self.backend) = (plan, backend) }

    var packedInputs: Set<String> { plan.packedInputs }
    func bind(_ values: [VariableID: Tensor]) throws { try plan.bind(values) }
    func unbind() { plan.unbind() }
    func value(of variable: VariableID) -> Tensor? { plan.value(of: variable) }
    func recycle(_ memory: [VariableID: Tensor]) { plan.recycle(memory) }
    func run(_ inputs: [String: Tensor], next: [String: Tensor], randomKey: UInt64) throws -> [Tensor] {
        let packed = inputs.filter { $0.value.packedRows != nil }.keys
        #expect(plan.packedInputs.isSuperset(of: packed), "unpacked at each run")
        backend.packedRuns.withLock { $0.formUnion(packed) }
        return try plan.run(inputs, next: next, randomKey: randomKey)
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
