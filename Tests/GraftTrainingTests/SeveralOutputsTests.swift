import Foundation
import GraftGraph
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftTraining

/// What Keras computed: `Tests/Keras/several_outputs.py`.
private struct SeveralOutputsFixture: Decodable {
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let loss: [String: String]
        let lossWeights: [String: Float]
        let metrics: [String: [String]]
        let weighted: Bool?
        let start: [[Float]]
        let history: [String: [Double]]
        let evaluation: [String: Double]
        let end: [[Float]]
        var testDescription: String { name }
    }

    let inputs: [Float]
    let kinds: [Float]
    let sizes: [Float]
    let weights: [Float]
    let cases: [Case]

    static let shared: SeveralOutputsFixture = {
        do {
            return try JSONDecoder().decode(
                Self.self,
                from: Data(
                    contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                        .appending(path: "Fixtures/several_outputs.json")))
        } catch { fatalError("\(error)") }
    }()

    func data(_ rows: Range<Int>) throws -> ArrayDataset {
        func part(_ numbers: [Float], _ width: Int) -> Tensor {
            let shape: Shape = width == 1 ? [rows.count] : [rows.count, width]
            return Tensor(Array(numbers[(rows.lowerBound * width)..<(rows.upperBound * width)]), shape: shape)
        }
        return try ArrayDataset(inputs: [part(inputs, 8)], targets: [part(kinds, 1), part(sizes, 2)])
    }
}

@Suite struct SeveralOutputsTests {
    private func model(_ start: [[Float]]? = nil) throws -> Model {
        let input = Input(shape: [8])
        let hidden = try Dense(10, activation: .relu, kernelRegularizer: .l2(0.01))(input)
        let outputs = [
            try Dense(3, activation: .softmax, name: "kind")(hidden), try Dense(2, name: "size")(hidden),
        ]
        let model = try Model(inputs: [input], outputs: outputs, seed: 1)
        for (variable, value) in zip(model.variables, start ?? []) {
            variable.value = Tensor(value, shape: variable.shape)
        }
        return model
    }

    private func compile(_ model: Model, as expected: SeveralOutputsFixture.Case) throws {
        let losses: [String: Loss] = [
            "sparse_categorical_crossentropy": .sparseCategoricalCrossentropy, "mean_squared_error": .meanSquaredError,
            "huber": .huber(),
        ]
        let metrics: [String: Metric] = ["accuracy": .accuracy, "mean_absolute_error": .meanAbsoluteError]
        try model.compile(
            optimizer: SGD(learningRate: 0.05, momentum: 0.9),
            losses: expected.loss.mapValues { try #require(losses[$0]) }, lossWeights: expected.lossWeights,
            metrics: expected.metrics.mapValues { try $0.map { try #require(metrics[$0]) } })
    }

    private var options: TrainingOptions { TrainingOptions(features: .off, threads: 1) }

    @Test(arguments: SeveralOutputsFixture.shared.cases)
    fileprivate func fitAndEvaluateEqualKeras(_ expected: SeveralOutputsFixture.Case) throws {
        let fixture = SeveralOutputsFixture.shared
        let model = try model(expected.start)
        try compile(model, as: expected)
        let history = try model.fit(
            fixture.data(0..<32), batchSize: 8, epochs: 3, validation: fixture.data(32..<48), shuffle: false,
            sampleWeights: expected.weighted == true ? fixture.weights : nil, options: options)
        #expect(Set(history.values.keys) == Set(expected.history.keys))
        // Twelve steps of 32-bit roundings in another order.
        for (key, values) in expected.history {
            for (epoch, value) in values.enumerated() {
                let own = history[key][epoch]
                #expect(abs(own - value) <= 1e-5 * max(abs(value), 1), "\(key) of epoch \(epoch + 1): \(own), \(value)")
            }
        }
        for (variable, end) in zip(model.variables, expected.end) {
            let worst = zip(variable.value.scalars, end).map { abs($0 - $1) }.max() ?? 0
            #expect(worst <= 1e-5, "\(variable.path): \(worst)")
        }
        let evaluation = try model.evaluate(fixture.data(32..<48), batchSize: 4, options: options)
        #expect(Set(evaluation.figures.keys) == Set(expected.evaluation.keys))
        for (key, value) in expected.evaluation {
            let own = evaluation.figures[key] ?? .nan
            #expect(abs(own - value) <= 1e-5 * max(abs(value), 1), "evaluate's \(key): \(own), \(value)")
        }
    }

    /// The last batch is smaller: each example counts the same, whatever batch it is in.
    @Test func noFigureDependsOnBatches() throws {
        let fixture = SeveralOutputsFixture.shared
        let model = try model()
        try model.compile(
            optimizer: SGD(), losses: ["kind": .sparseCategoricalCrossentropy, "size": .meanSquaredError],
            metrics: ["kind": [.accuracy, .averagePrecision]])
        let data = try fixture.data(0..<48)
        let whole = try model.evaluate(data, batchSize: 48, options: options).figures
        let parts = try model.evaluate(data, batchSize: 7, options: options).figures
        #expect(whole.keys.sorted() == ["kind_accuracy", "kind_average_precision", "kind_loss", "loss", "size_loss"])
        for (key, value) in whole { #expect(abs((parts[key] ?? .nan) - value) < 1e-6, "\(key)") }
    }

    /// Its value goes through all examples so far, so that saying it after each step would cost their square.
    @Test func anAccumulatedMetricIsSaidAtTheEndOfAnEpochAlone() throws {
        let model = try model()
        try model.compile(
            optimizer: SGD(), losses: ["kind": .sparseCategoricalCrossentropy],
            metrics: ["kind": [.accuracy, .averagePrecision]])
        var (steps, epochs) = ([Set<String>](), [Set<String>]())
        let listener = EventHandler { event in
            if case .step(let report) = event { steps.append(Set(report.figures.keys)) }
            if case .epoch(let report) = event { epochs.append(Set(report.figures.keys)) }
        }
        try model.fit(
            SeveralOutputsFixture.shared.data(0..<32), batchSize: 16, callbacks: [listener], options: options)
        #expect(steps == [["loss", "kind_accuracy"], ["loss", "kind_accuracy"]])
        #expect(epochs == [["loss", "kind_accuracy", "kind_average_precision"]])
    }

    @Test func eachOutputHasItsClasses() throws {
        let fixture = SeveralOutputsFixture.shared
        let model = try model()
        try model.compile(
            optimizer: SGD(), losses: ["kind": .sparseCategoricalCrossentropy, "size": .meanSquaredError])
        let evaluation = try model.evaluate(fixture.data(0..<48), options: options)
        #expect(evaluation.outputs.map(\.name) == ["kind", "size"])
        #expect(evaluation.outputs[0].classes.count == 3)
        #expect(evaluation.outputs[0].confusion?.counts.flatMap(\.self).reduce(0, +) == 48)
        #expect(evaluation.outputs[1].confusion == nil)
        #expect(evaluation.classes.isEmpty && evaluation.confusion == nil)
    }

    /// The difference of two outputs, which no loss of one output can say.
    @Test func anObjectiveReadsAllOutputs() throws {
        let fixture = SeveralOutputsFixture.shared
        let model = try model()
        let objective = Objective("tied", terms: [.init("fit", weight: 2), .init("tie")]) { outputs, targets in
            let first = try outputs[0].reduced(.mean, axes: [1]) - outputs[1].reduced(.mean, axes: [1])
            return [try (outputs[1] - targets[1]).squared().reduced(.mean, axes: [1]), try first.squared()]
        }
        try model.compile(
            optimizer: SGD(learningRate: 0.05), objective: objective, metrics: ["size": [.meanAbsoluteError]])
        let history = try model.fit(fixture.data(0..<48), batchSize: 16, epochs: 4, options: options)
        let losses = history["loss"]
        #expect(losses.count == 4 && losses[3] < losses[0])
        // The penalty of the first layer's weights comes on top.
        let terms = 2 * history["fit_loss"][0] + history["tie_loss"][0]
        #expect(losses[0] > terms && losses[0] - terms < 0.2)
        #expect(history["size_mean_absolute_error"].count == 4)
    }

    /// Stopped in the middle of an epoch, with an accumulated metric.
    @Test func aRunIsResumedWithTheSameFigures() throws {
        let fixture = SeveralOutputsFixture.shared
        let folder = TemporaryFolder()
        func run(_ checkpoint: Checkpointing?, stopAfter step: Int?) throws -> (History, [Tensor]) {
            let model = try model(fixture.cases[0].start)
            try model.compile(
                optimizer: Adam(), losses: ["kind": .sparseCategoricalCrossentropy, "size": .meanSquaredError],
                metrics: ["kind": [.averagePrecision]])
            let flag = CancellationFlag()
            var options = options
            options.cancellation = flag
            let history = try model.fit(
                fixture.data(0..<32), batchSize: 8, epochs: 2, callbacks: [ResumeProblem.Stopper(flag, step: step)],
                options: options, checkpoint: checkpoint)
            return (history, model.weights)
        }
        let checkpoint = Checkpointing(folder.path + "/run", every: .never)
        #expect(try run(checkpoint, stopAfter: 6).0.isInterrupted)
        let (resumed, plain) = (try run(checkpoint, stopAfter: nil), try run(nil, stopAfter: nil))
        #expect(resumed.0.values == plain.0.values)
        #expect(resumed.1 == plain.1)
    }

    @Test func oneLossIsThatOfEachOutput() throws {
        let input = Input(shape: [8])
        let model = try Model(
            inputs: [input], outputs: [Dense(2, name: "a")(input), Dense(2, name: "b")(input)], seed: 1)
        try model.compile(optimizer: SGD(), loss: .meanSquaredError, metrics: [.meanAbsoluteError])
        let sizes = Tensor(SeveralOutputsFixture.shared.sizes, shape: [48, 2])
        let inputs = Tensor(SeveralOutputsFixture.shared.inputs, shape: [48, 8])
        let figures = try model.evaluate(ArrayDataset(inputs: [inputs], targets: [sizes, sizes]), options: options)
            .figures
        #expect(
            figures.keys.sorted() == ["a_loss", "a_mean_absolute_error", "b_loss", "b_mean_absolute_error", "loss"])
        #expect(abs((figures["a_loss"] ?? 0) + (figures["b_loss"] ?? 0) - (figures["loss"] ?? 0)) < 1e-6)
    }

    @Test func whatDoesNotFitIsNamed() throws {
        let (model, fixture) = (try model(), SeveralOutputsFixture.shared)
        func message(_ body: () throws -> Void) -> String {
            #expect(throws: GraftError.self, performing: body)?.message ?? ""
        }
        #expect(
            message { try model.compile(optimizer: SGD(), losses: ["colour": .meanSquaredError]) }
                == "a loss is given for colour, which is no output of the model; it has kind, size")
        #expect(message { try model.compile(optimizer: SGD(), losses: [:]) }.contains("there is no loss"))
        #expect(
            message {
                try model.compile(
                    optimizer: SGD(), losses: ["size": .meanSquaredError], lossWeights: ["size": .infinity])
            }.contains("the weight of the loss of size is inf"))
        try model.compile(
            optimizer: SGD(), losses: ["kind": .sparseCategoricalCrossentropy, "size": .meanSquaredError])
        let data = try fixture.data(0..<8)
        #expect(
            message { try model.fit(data, classWeights: [0: 2], options: options) }
                .contains("weigh examples instead (sampleWeights)"))
        let single = try ArrayDataset(inputs: [Tensor(zeros: [4, 8])], targets: [Tensor([0, 1, 2, 0], shape: [4])])
        #expect(
            message { try model.fit(single, options: options) }
                .contains("has 1 targets, the model 2 outputs; give a target for each output"))
        let swapped = try ArrayDataset(
            inputs: [Tensor(zeros: [2, 8])], targets: [Tensor(zeros: [2, 2]), Tensor([0, 1], shape: [2])])
        #expect(message { try model.fit(swapped, options: options) }.contains("for the output kind has the shape (2,)"))
    }
}
