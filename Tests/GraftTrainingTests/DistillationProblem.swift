import GraftGraph
import GraftModel
import Testing

@testable import GraftTraining

/// A small student of two teachers in which everything that a run keeps matters: shuffled examples with an odd last batch,
/// dropout, batch normalization, a schedule, a moving average.
struct DistillationProblem {
    var batchSize = 5
    var epochs = 2
    var answersMemory = 0
    var freezesFirstLayer = false
    var features = FeatureCache.off
    var mixUp: MixUp?

    /// Images of four blobs each, which are easier to tell apart than noise: two inputs, the second half as large.
    static func examples(_ count: Int = 17, key: UInt64 = 9) throws -> ArrayDataset {
        let random = RandomStream(key: key, stream: 1)
        let own = (0..<count).flatMap { image in
            (0..<192).map { position -> Float in
                let (row, column, channel) = (position / 24, position / 3 % 8, position % 3)
                let blob = (row / 4 * 2 + column / 4) * 3 + channel
                return random.uniform(at: image * 12 + blob) * 2 - 1
                    + 0.2 * random.uniform(at: 100_000 + image * 192 + position)
            }
        }
        let inputs = Tensor(own, shape: [count, 8, 8, 3])
        let other = (0..<count).flatMap { image in
            (0..<48).map { position in
                inputs[image * 192 + position / 12 * 48 + position / 3 % 4 * 6 + position % 3]
            }
        }
        return try ArrayDataset(inputs: [inputs, Tensor(other, shape: [count, 4, 4, 3])])
    }

    /// Two networks of random weights: features as a map from the first input, logits from the second.
    static func teachers() throws -> [Teacher] {
        let features = try Sequential(
            [Conv2D(6, kernelSize: 3, strides: 2, activation: .relu)], inputShape: [8, 8, 3], seed: 31)
        let logits = try Sequential([Flatten(), Dense(3)], inputShape: [4, 4, 3], seed: 32)
        return [
            try Teacher.features(of: features, standardizedOn: examples(), options: TrainingOptions(threads: 1)),
            try Teacher(logits, lesson: .logits(temperature: 2), input: 1),
        ]
    }

    func student() throws -> Model {
        let model = try Sequential(
            [
                Conv2D(4, kernelSize: 3, name: "first"), BatchNormalization(momentum: 0.7), Activation(.relu),
                Dropout(0.2), Conv2D(8, kernelSize: 3, strides: 2, name: "second"),
            ], inputShape: [8, 8, 3], seed: 4)
        if freezesFirstLayer { try model.layer(named: "first").trainable = false }
        return model
    }

    /// What a run leaves, bit by bit.
    struct Outcome: Equatable {
        let variables: [[UInt32]]
        let figures: [String: [UInt64]]
        let isInterrupted: Bool
    }

    /// Teaches a student, or the rest of it.
    func teach(
        _ examples: (any Dataset)? = nil, checkpoint: Checkpointing? = nil, cancelAfter step: Int? = nil
    ) throws -> Outcome {
        let (student, flag) = (try student(), CancellationFlag())
        let schedule = LearningRateSchedule.cosineDecay(initial: 0.02, decaySteps: 10, alpha: 0.1).warmedUp(over: 3)
        let settings = OptimizerSettings(movingAverage: MovingAverage(momentum: 0.8))
        let history = try Distillation(from: Self.teachers()).teach(
            student, with: examples ?? Self.examples(), mixUp: mixUp, batchSize: batchSize, epochs: epochs,
            optimizer: AdamW(learningRate: schedule, weightDecay: 0.1, settings: settings),
            validation: Self.examples(6, key: 10), seed: 3, callbacks: [ResumeProblem.Stopper(flag, step: step)],
            options: TrainingOptions(features: features, threads: 1, cancellation: flag), teacherPrecision: .float32,
            answersMemory: answersMemory, checkpoint: checkpoint)
        return Outcome(
            variables: student.variables.map { ResumeProblem.Run.bits($0.value) },
            figures: history.values.mapValues { $0.map(\.bitPattern) }, isInterrupted: history.isInterrupted)
    }
}

/// Examples in several views: view v has v added to all inputs.
struct ShiftedViews: Dataset {
    let base: ArrayDataset
    let views: Int

    var count: Int { base.count }
    var classNames: [String]? { nil }
    var inputRule: InputRule? { nil }
    func targets(of numbers: [Int]) throws -> [Tensor] { [] }
    func fingerprint(of number: Int) throws -> String? {
        try base.fingerprint(of: number % count).map { "\($0) \(number / count)" }
    }

    func batch(_ numbers: [Int]) throws -> Batch {
        var batch = try base.batch(numbers.map { $0 % count })
        for position in batch.inputs.indices {
            let size = batch.inputs[position].count / numbers.count
            batch.inputs[position].withUnsafeMutableBuffer { values in
                for (row, number) in numbers.enumerated() {
                    for index in 0..<size { values[row * size + index] += Float(number / count) }
                }
            }
        }
        batch.indices = numbers
        return batch
    }
}

/// Examples of which some cannot be read, or have no fingerprint.
struct MarredDataset: Dataset {
    let base: ArrayDataset
    var holes: Set<Int> = []
    var changes = false

    var count: Int { base.count }
    var classNames: [String]? { nil }
    var inputRule: InputRule? { base.inputRule }
    func fingerprint(of index: Int) throws -> String? { changes ? nil : try base.fingerprint(of: index) }
    func targets(of indices: [Int]) throws -> [Tensor] { [] }

    func batch(_ indices: [Int]) throws -> Batch {
        var batch = try base.batch(indices.filter { !holes.contains($0) })
        batch.failures = indices.filter(holes.contains).map {
            ExampleFailure(index: $0, path: "\($0)", message: "a hole")
        }
        return batch
    }
}
