import Foundation
import GraftFormats
import GraftGraph
import GraftModel
import Synchronization
import Testing

@testable import GraftTraining

/// A run in which everything that a checkpoint has to keep matters: shuffled examples with an odd last batch, dropout,
/// batch normalization that follows the batches, weights of classes and examples, a penalty, a callback that steers.
struct ResumeProblem: Sendable, CustomTestStringConvertible {
    var name: String
    var makeOptimizer: @Sendable () -> any Optimizer
    /// Whether the first layer is frozen and its features are kept.
    var keepsTrunk = false
    var epochs = 2

    var testDescription: String { name + (keepsTrunk ? " on kept features" : "") }

    static let schedule = LearningRateSchedule.cosineDecay(initial: 0.02, decaySteps: 10, alpha: 0.1).warmedUp(over: 3)

    static let all = [
        ResumeProblem(name: "SGD, accumulation, average") {
            SGD(
                learningRate: schedule, momentum: 0.9, nesterov: true,
                settings: OptimizerSettings(
                    weightDecay: 0.01, clipping: .globalNorm(1), accumulationSteps: 3,
                    movingAverage: MovingAverage(momentum: 0.8, overwriteFrequency: 2)))
        },
        ResumeProblem(name: "RMSprop, momentum, centred") {
            RMSprop(learningRate: schedule, momentum: 0.5, centered: true)
        },
        ResumeProblem(name: "RMSprop", makeOptimizer: { RMSprop(learningRate: schedule) }, keepsTrunk: true),
        ResumeProblem(name: "Adam, AMSGrad") { Adam(learningRate: schedule, amsgrad: true) },
        ResumeProblem(
            name: "Adam, average",
            makeOptimizer: {
                Adam(
                    learningRate: schedule, settings: OptimizerSettings(movingAverage: MovingAverage(momentum: 0.9)))
            }, keepsTrunk: true),
        ResumeProblem(name: "AdamW") { AdamW(learningRate: schedule, weightDecay: 0.1) },
        ResumeProblem(name: "Nadam") { Nadam(learningRate: schedule) },
        ResumeProblem(name: "Adagrad") { Adagrad(learningRate: schedule) },
        ResumeProblem(name: "Lion", makeOptimizer: { Lion(learningRate: schedule) }, keepsTrunk: true),
        ResumeProblem(
            name: "RMSprop, momentum, state of bfloat16",
            makeOptimizer: {
                RMSprop(
                    learningRate: schedule, momentum: 0.5, settings: OptimizerSettings(stateType: .bfloat16))
            }, keepsTrunk: true),
        ResumeProblem(name: "Adam, accumulation, average, state of bfloat16") {
            Adam(
                learningRate: schedule,
                settings: OptimizerSettings(
                    accumulationSteps: 3, movingAverage: MovingAverage(momentum: 0.8), stateType: .bfloat16))
        },
    ]

    static let exampleCount = 17

    /// A model as a program makes it when it is started.
    func model() throws -> Model {
        let model = try Sequential(
            [
                Conv2D(3, kernelSize: 3, name: "conv"), BatchNormalization(momentum: 0.7), Activation(.relu), Flatten(),
                Dropout(0.3), Dense(5, activation: .relu, kernelRegularizer: .l2(0.01)),
                Dense(3, activation: .softmax),
            ], inputShape: [5, 5, 2], seed: 4)
        if keepsTrunk { model.layers.prefix(2).forEach { $0.trainable = false } }
        try model.compile(
            optimizer: makeOptimizer(), loss: .sparseCategoricalCrossentropy, metrics: [.accuracy, Self.spread])
        return model
    }

    /// A metric whose statistic is an array.
    private static let spread = Metric("spread") { predictions, _ in
        try predictions.squared().reduced(.sum, axes: [0])
    } result: { total, _ in
        total.reduce(0) { $0 + $1 * $1 }
    }

    func data(_ count: Int = exampleCount, key: UInt64 = 9) throws -> ArrayDataset {
        let random = RandomStream(key: key, stream: 1)
        let inputs = (0..<(count * 50)).map { random.uniform(at: $0) * 2 - 1 }
        let targets = (0..<count).map { Float(Int(random.uniform(at: 7919 * $0 + 13) * 3)) }
        return try ArrayDataset(
            inputs: Tensor(inputs, shape: [count, 5, 5, 2]), targets: Tensor(targets, shape: [count]))
    }

    /// Trains the model, or the rest of it.
    func fit(
        _ model: Model, checkpoint: Checkpointing? = nil, cancelAfter step: Int? = nil, teller: Teller = Teller()
    ) throws -> Run {
        let steering = Steering()
        let flag = CancellationFlag()
        let stopper = Stopper(flag, step: step)
        let options = TrainingOptions(
            features: keepsTrunk ? .temporary : .off, threads: 1, cancellation: flag)
        let history = try model.fit(
            data(), batchSize: 5, epochs: epochs, validation: data(6, key: 10), seed: 3, classWeights: [1: 2.5],
            sampleWeights: (0..<Self.exampleCount).map { 0.5 + Float($0) / 20 },
            callbacks: [steering, stopper, teller], options: options, checkpoint: checkpoint)
        return Run(model, history, steering)
    }
}

extension ResumeProblem {
    /// All that a run leaves, bit by bit.
    struct Run: Equatable {
        let variables: [[UInt32]]
        let slots: [[[UInt32]?]]
        let counts: [Int]
        let chosenRate: UInt32?
        let figures: [String: [UInt64]]
        let epochs: [Int]
        let steering: [UInt64]
        let isInterrupted: Bool

        init(_ model: Model, _ history: History, _ callback: Steering) {
            variables = model.variables.map { Self.bits($0.value) }
            let compilation = TrainingState.of(model).compilation
            slots = model.variables.map { (compilation?.slots[$0] ?? []).map { $0.map(Self.bits) } }
            counts = [compilation?.stepCount ?? 0, compilation?.epochCount ?? 0, history.exampleCount]
            chosenRate = compilation?.chosenRate?.bitPattern
            figures = history.values.mapValues { $0.map(\.bitPattern) }
            epochs = history.epochs
            steering = callback.trace
            isInterrupted = history.isInterrupted
        }

        static func bits(_ tensor: Tensor) -> [UInt32] { tensor.scalars.map(\.bitPattern) }

        /// What differs, in words.
        func difference(from other: Run) -> String? {
            let parts: [(String, Bool)] = [
                ("variables", variables == other.variables), ("slots", slots == other.slots),
                ("counts \(counts) \(other.counts)", counts == other.counts), ("rate", chosenRate == other.chosenRate),
                ("figures", figures == other.figures), ("epochs \(epochs) \(other.epochs)", epochs == other.epochs),
                ("callback", steering == other.steering), ("interruption", isInterrupted == other.isInterrupted),
            ]
            let wrong = parts.filter { !$0.1 }.map(\.0)
            return wrong.isEmpty ? nil : wrong.joined(separator: ", ")
        }
    }

    /// Raises a flag after a step of the process.
    final class Stopper: Callback {
        private let flag: CancellationFlag
        private let step: Int?
        private var count = 0

        init(_ flag: CancellationFlag, step: Int?) { (self.flag, self.step) = (flag, step) }

        func handle(_ event: TrainingEvent, in run: TrainingRun) {
            guard case .step = event else { return }
            count += 1
            if count == step { flag.cancel() }
        }
    }

    /// Remembers what it was told of checkpoints.
    final class Teller: Callback {
        private(set) var resumed: ResumeReport?
        private(set) var checkpoints: [CheckpointReport] = []

        func handle(_ event: TrainingEvent, in run: TrainingRun) {
            switch event {
            case .resumed(let report): resumed = report
            case .checkpoint(let report): checkpoints.append(report)
            default: break
            }
        }
    }

    /// Remembers the losses of the last steps and lets the learning rate follow them from the fifth step on.
    final class Steering: Callback {
        private var count = 0
        private var recent = Tensor(zeros: [3])
        private(set) var trace: [UInt64] = []

        func handle(_ event: TrainingEvent, in run: TrainingRun) {
            switch event {
            case .began: (count, recent) = (0, Tensor(zeros: [3]))
            case .step(let report):
                recent.withUnsafeMutableBuffer { $0[count % 3] = Float(report.loss) }
                count += 1
                trace = [UInt64(count), report.loss.bitPattern] + recent.scalars.map { UInt64($0.bitPattern) }
                if count >= 5 { run.learningRate = 0.01 * (1 + recent.scalars.reduce(0, +)) }
            default: break
            }
        }

        var state: CallbackState? {
            CallbackState(
                values: ["count": .int(count), "trace": .array(trace.map { .string("\($0)") })],
                tensors: ["recent": recent])
        }

        func restore(_ state: CallbackState) throws {
            count = try #require(state.values["count"]?.integer)
            recent = try #require(state.tensors["recent"])
            trace = (state.values["trace"]?.elements ?? []).compactMap { $0.text.flatMap(UInt64.init) }
        }
    }
}

/// Keeps every checkpoint of a run, each in a file of its own.
final class EveryCheckpoint: CheckpointStorage {
    let folder: String
    private let count = Mutex(0)

    init(_ folder: String) { self.folder = folder }

    var name: String { folder }
    var paths: [String] { (0..<count.withLock(\.self)).map(path) }

    private func path(_ number: Int) -> String { "\(folder)/\(number).checkpoint" }

    func write(_ checkpoint: Checkpoint) throws(GraftError) -> Int {
        let number = count.withLock { count in
            defer { count += 1 }
            return count
        }
        return try CheckpointFile(path(number)).write(checkpoint)
    }

    func read() throws(GraftError) -> StoredCheckpoint? { nil }
    func remove() {}
}
