import Foundation
import GraftApplications
import GraftGraph
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftReports
@testable import GraftTraining

@Suite struct FineTuningTests {
    private let root = TemporaryFolder()

    private func options(cache: Bool = true) -> TrainingOptions {
        TrainingOptions(features: cache ? .folder(root.path) : .off, threads: 1)
    }

    private func network() throws -> (base: Model, model: Model) { try normalizedNetwork() }

    private func compile(_ model: Model, rate: LearningRateSchedule = 0.01) throws {
        try model.compile(
            optimizer: Adam(learningRate: rate), loss: .sparseCategoricalCrossentropy, metrics: [.accuracy])
    }

    /// What users of Keras met: 87 % in fit, 63 % in evaluate, on the same data.
    @Test func fitAndEvaluateOnOneBatchGiveTheSameLossWithFrozenStatistics() throws {
        let (_, model) = try network()
        try compile(model)
        let data = try pictures(count: 8)
        let before = try model.evaluate(data, batchSize: 8).loss
        let fitted = try model.fit(data, batchSize: 8, options: options()).final("loss")
        // The same sums in float32; fit computes the loss before it changes anything.
        #expect(abs(fitted - before) <= 1e-6 * before)
        // Where statistics follow the batch, the losses differ.
        model.setStatistics(.updating)
        let updating = try model.fit(data, batchSize: 8, options: options()).final("loss")
        #expect(abs(updating - (try model.evaluate(data, batchSize: 8).loss)) > 1e-3)
    }

    @Test func scaleAndOffsetTrainWhileStatisticsStay() throws {
        let (base, model) = try network()
        try compile(model)
        let norm = try base.layer(named: "norm1")
        let before = norm.weights
        try model.fit(pictures(count: 16), batchSize: 8, epochs: 2, options: options())
        #expect(norm.weights[0] != before[0] && norm.weights[1] != before[1])
        #expect(norm.weights[2] == before[2] && norm.weights[3] == before[3])
    }

    @Test func unfreezingChangesNoPrediction() throws {
        let (base, model) = try network()
        base.freeze()
        try compile(model)
        let data = try pictures(count: 16)
        let history = try model.fit(data, batchSize: 8, epochs: 2, validation: data, options: options())
        let before = try model.predict(data).outputs[0]
        try base.unfreeze(from: "conv1")
        #expect(try model.predict(data).outputs[0] == before)
        // What the head saw were kept features; the live network gives the same loss, and so does the first step of the
        // run that trains it.
        let live = try model.evaluate(data, batchSize: 8).loss
        let kept = try #require(history["val_loss"].last)
        #expect(abs(live - kept) <= 1e-5 * kept)
        try compile(model, rate: 1e-12)
        let first = try model.fit(data, batchSize: 16, options: options()).final("loss")
        #expect(abs(first - live) <= 1e-5 * live)
    }

    @Test func thePartThatStaysFrozenIsComputedOnce() throws {
        let (base, model) = try network()
        base.freeze()
        try base.unfreeze(from: "conv1")
        try compile(model)
        var options = TrainingOptions(features: .folder(root.path))
        let backend = ReferenceBackend()
        options.backend = backend
        try model.fit(pictures(count: 16), batchSize: 8, epochs: 3, options: options)
        #expect(backend.runs["pictures"] == 1)
        #expect(backend.runs["feature.0"] == 6)
    }

    @Test func whatTheLayersBehindTheNameReadIsKept() throws {
        let base = try InceptionV3(includeTop: false, inputShape: [75, 75, 3])
        base.setStatistics(.frozen)
        base.freeze()
        try base.unfreeze(from: "mixed5")
        let x = try GlobalAveragePooling2D()(base.layer(named: "mixed7").output)
        let model = try Model(inputs: base.input, outputs: Dense(1, activation: .sigmoid)(x))
        let parts = try TrainedModel(model, mayKeepTrunk: true).parts(batchSize: 2, training: true)
        let trunk = try #require(parts.trunk)
        // mixed5 joins what was computed before; what is kept is its result, and the mean of neighbours in it that the
        // first of the layers behind it reads.
        let joined = try base.layer(named: "mixed5").output.shape
        #expect((1...2).contains(trunk.outputs.count))
        #expect(Set(trunk.outputs.map(trunk.shape(of:))) == [Shape([2] + joined.dimensions)])
        #expect(parts.graph.updates.isEmpty)
    }

    @Test(arguments: [false, true])
    func frozenVariablesKeepEveryBit(cached: Bool) throws {
        let (base, model) = try network()
        base.freeze()
        try base.unfreeze(from: "conv1")
        try compile(model)
        let frozen = model.nonTrainableVariables
        #expect(frozen.map(\.path).contains("norm1/moving_mean") && frozen.map(\.path).contains("conv0/kernel"))
        let (before, trained) = (frozen.map(\.value), model.trainableVariables.map(\.value))
        try model.fit(pictures(), batchSize: 6, epochs: 2, options: options(cache: cached))
        #expect(frozen.map(\.value) == before)
        for (variable, value) in zip(model.trainableVariables, trained) {
            #expect(variable.value != value, "\(variable.path)")
        }
    }

    // MARK: The same numbers as Keras

    /// The bounds that the project promises: losses within 1e-3 relative at every step, variables after one step within
    /// 1e-5 of the largest value.
    @Test(arguments: FineTuningFixture.shared.networks)
    func thirtyStepsEqualKeras(_ expected: FineTuningFixture.Network) throws {
        let fixture = FineTuningFixture.shared
        let model = try expected.model()
        try model.compile(optimizer: expected.makeOptimizer(), loss: .sparseCategoricalCrossentropy)
        try model.fit(fixture.examples(16), batchSize: 16, shuffle: false, options: options())
        for (variable, values) in zip(model.variables, expected.afterOneStep) {
            expectClose(
                variable.value, Tensor(values, shape: variable.shape), tolerance: 1e-5, "\(variable.path)")
        }

        let again = try expected.model()
        try again.compile(optimizer: expected.makeOptimizer(), loss: .sparseCategoricalCrossentropy)
        let recorder = LossRecorder()
        try again.fit(
            fixture.examples(48), batchSize: 16, epochs: 10, shuffle: false, callbacks: [recorder], options: options())
        #expect(recorder.losses.count == 30 && expected.losses.count == 30)
        for (step, (loss, wanted)) in zip(recorder.losses, expected.losses).enumerated() {
            #expect(abs(loss - wanted) <= 1e-3 * wanted, "step \(step + 1): \(loss), expected \(wanted)")
        }
    }

    @Test func theHistoryOfBothPhasesStandsBesideTheModel() throws {
        let (base, model) = try network()
        let data = try pictures(count: 16)
        let recorder = HistoryRecorder(beside: root.path + "/cats.keras")
        base.freeze()
        try compile(model)
        recorder.begin("head")
        try model.fit(data, batchSize: 8, epochs: 2, validation: data, callbacks: [recorder], options: options())
        try base.unfreeze(from: "conv1")
        try compile(model, rate: 1e-3)
        recorder.begin("fine-tuning", event: "unfrozen from conv1")
        try model.fit(data, batchSize: 8, epochs: 1, validation: data, callbacks: [recorder], options: options())
        let table = try String(contentsOfFile: root.path + "/cats.history.csv", encoding: .utf8)
        #expect(table == recorder.curve.csv)
        #expect(table.split(separator: "\n").count == 4)
        let chart = try String(contentsOfFile: root.path + "/cats.history.svg", encoding: .utf8)
        #expect(chart == recorder.curve.chart(title: "cats").svg && chart.contains("unfrozen from conv1"))
        #expect(recorder.failure == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: root.path).allSatisfy { !$0.hasSuffix(".tmp") })
    }

    @Test func aFolderThatIsGoneDoesNotEndTheTraining() throws {
        let (_, model) = try network()
        try compile(model)
        let recorder = HistoryRecorder(beside: root.path + "/nowhere/cats.keras")
        try model.fit(pictures(count: 8), callbacks: [recorder], options: options())
        #expect(recorder.curve.epochs.count == 1)
        #expect(recorder.failure?.code == .file)
    }
}

extension History {
    /// The last figure under a key.
    fileprivate func final(_ key: String) -> Double { self[key].last ?? .nan }
}
