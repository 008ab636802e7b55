import Foundation
import GraftGraph
import GraftModel
import GraftTestSupport
import KerasFixtures
import Testing

@testable import GraftTraining

@Suite struct FitTests {
    // MARK: The same numbers as Keras

    /// A hundred steps, each an epoch's worth of one batch, from Keras's start: the losses within 1e-4 relative.
    @Test(arguments: KerasFixture.shared.heads)
    func aHundredStepsEqualKeras(_ expected: KerasFixture.HeadCase) throws {
        let model = try head(of: expected)
        try model.compile(
            optimizer: makeOptimizer(expected.optimizer, expected.arguments), loss: makeLoss(expected.loss),
            metrics: [.accuracy])
        let data = try dataset(of: expected)
        let losses = LossRecorder()
        // 60 examples in batches of 20: 33 epochs are 99 steps, and the fixture goes round the same way.
        try model.fit(data, batchSize: 20, epochs: 34, shuffle: false, callbacks: [losses], options: temporary)
        for (step, (loss, wanted)) in zip(losses.losses, expected.losses).enumerated() {
            #expect(abs(loss - wanted) <= 1e-4 * wanted, "step \(step + 1): \(loss), expected \(wanted)")
        }
        #expect(losses.losses.count == 102)
    }

    @Test(arguments: KerasFixture.shared.heads)
    func evaluationAndPredictionsEqualKeras(_ expected: KerasFixture.HeadCase) throws {
        let model = try head(of: expected)
        try model.compile(
            optimizer: makeOptimizer(expected.optimizer, expected.arguments), loss: makeLoss(expected.loss),
            metrics: [.accuracy])
        let all = try dataset(of: expected)
        try model.fit(all, batchSize: 20, epochs: 33, shuffle: false, options: temporary)
        let first = try ArrayDataset(
            inputs: all.inputs[0].rows(Array(0..<20)), targets: all.targets[0].rows(Array(0..<20)))
        try model.fit(first, batchSize: 20, shuffle: false, options: temporary)
        let evaluation = try model.evaluate(all, batchSize: 20)
        let wanted = try #require(expected.evaluation["loss"])
        #expect(abs(evaluation.loss - wanted) <= 1e-4 * wanted)
        #expect(evaluation.figures["accuracy"].map(Float.init) == expected.evaluation["accuracy"].map(Float.init))
        #expect(evaluation.classes.reduce(0) { $0 + $1.count } == 60)
        let predictions = try model.predict(all.inputs[0].rows(Array(0..<5)))
        expectClose(predictions.scalars, expected.predictions, tolerance: 1e-4, "predictions")
    }

    /// Epochs of 16, 16 and 8 examples, batch normalization with the batch's statistics in training and with the moving
    /// ones in validation.
    @Test(arguments: KerasFixture.shared.networks)
    func fiveEpochsOfANetworkEqualKeras(_ expected: KerasFixture.NetworkCase) throws {
        let model = try Sequential(
            [
                Conv2D(6, kernelSize: 3, padding: .same, useBias: false), BatchNormalization(momentum: 0.9),
                Activation(.relu), MaxPooling2D(poolSize: 2), Conv2D(8, kernelSize: 2, activation: .relu), Flatten(),
                Dense(3, activation: .softmax),
            ], inputShape: [6, 6, 2])
        try model.setWeights(zip(expected.start, model.variables).map { Tensor($0, shape: $1.shape) })
        try model.compile(
            optimizer: SGD(learningRate: 0.05, momentum: 0.9), loss: .sparseCategoricalCrossentropy,
            metrics: [.accuracy])
        let (inputs, targets) = (
            Tensor(expected.inputs, shape: [60, 6, 6, 2]), Tensor(expected.targets, shape: [60])
        )
        func part(_ range: Range<Int>) throws -> ArrayDataset {
            try ArrayDataset(inputs: inputs.rows(Array(range)), targets: targets.rows(Array(range)))
        }
        let history = try model.fit(
            part(0..<40), batchSize: 16, epochs: 5, validation: part(40..<60), shuffle: false, options: temporary)
        for (key, wanted) in expected.history {
            #expect(history[key].count == wanted.count)
            for (epoch, (value, wanted)) in zip(history[key], wanted).enumerated() {
                #expect(abs(value - wanted) <= 1e-4 * wanted, "\(key), epoch \(epoch + 1): \(value), not \(wanted)")
            }
        }
        for (variable, wanted) in zip(model.variables, expected.end) {
            expectClose(variable.value.scalars, wanted, tolerance: 1e-4, variable.path)
        }
    }

    // MARK: History and state

    @Test func historyHasKerasKeysAndOneValueAnEpoch() throws {
        let (model, data) = try smallProblem()
        let history = try model.fit(data, batchSize: 8, epochs: 3, validation: data, options: temporary)
        #expect(history.values.keys.sorted() == ["accuracy", "loss", "val_accuracy", "val_loss"])
        #expect(history.values.values.allSatisfy { $0.count == 3 })
        #expect(history.epochs == [1, 2, 3])
        #expect(history.seconds.count == 3)
        #expect(!history.isInterrupted)
        #expect(history.exampleCount == 2 * data.count)
        #expect(history["loss"][2] < history["loss"][0])
    }

    @Test func validationIsTheEvaluationAtTheEndOfTheEpoch() throws {
        let (model, data) = try smallProblem(dropout: 0.5)
        let history = try model.fit(data, batchSize: 8, epochs: 2, validation: data, options: temporary)
        let evaluation = try model.evaluate(data, batchSize: 8)
        #expect(abs(evaluation.loss - history["val_loss"][1]) <= 1e-6)
        #expect(evaluation.figures["accuracy"] == history["val_accuracy"][1])
    }

    @Test func theOptimizerRemembersBetweenFitsUntilCompile() throws {
        let optimizer = SGD(learningRate: 0.1, momentum: 0.9)
        func run(_ body: (Sequential, ArrayDataset) throws -> Void) throws -> [Tensor] {
            let (model, data) = try smallProblem(optimizer: optimizer)
            try body(model, data)
            return model.weights
        }
        let once = try run { try $0.fit($1, batchSize: 8, epochs: 2, shuffle: false, options: temporary) }
        let twice = try run { model, data in
            for _ in 0..<2 { try model.fit(data, batchSize: 8, shuffle: false, options: temporary) }
        }
        let compiledBetween = try run { model, data in
            try model.fit(data, batchSize: 8, shuffle: false, options: temporary)
            try model.compile(optimizer: optimizer, loss: .sparseCategoricalCrossentropy)
            try model.fit(data, batchSize: 8, shuffle: false, options: temporary)
        }
        #expect(once == twice)
        #expect(once != compiledBetween)
    }

    // MARK: The same again

    @Test(arguments: [1, 2])
    func theSameSeedGivesTheSameBits(threads: Int) throws {
        func weights(seed: UInt64) throws -> [Tensor] {
            let (model, data) = try smallProblem(dropout: 0.5)
            let options = TrainingOptions(features: .temporary, threads: threads)
            try model.fit(data, batchSize: 7, epochs: 3, seed: seed, options: options)
            return model.weights
        }
        #expect(try weights(seed: 1) == weights(seed: 1))
        #expect(try weights(seed: 1) != weights(seed: 2))
    }

    @Test func shufflesAreOrdersOfAllExamplesAndDifferByEpochAndSeed() {
        let numbers = Array(0..<100)
        let first = RunRandomness(seed: 1).shuffled(numbers, epoch: 0)
        #expect(first.sorted() == numbers)
        #expect(first != numbers)
        #expect(first == RunRandomness(seed: 1).shuffled(numbers, epoch: 0))
        #expect(first != RunRandomness(seed: 1).shuffled(numbers, epoch: 1))
        #expect(first != RunRandomness(seed: 2).shuffled(numbers, epoch: 0))
    }

    @Test func everyPlaceIsAsLikelyForEachNumber() {
        var counts = [Int](repeating: 0, count: 5)
        for epoch in 0..<5000 {
            guard let place = RunRandomness(seed: 3).shuffled([0, 1, 2, 3, 4], epoch: epoch).firstIndex(of: 0) else {
                continue
            }
            counts[place] += 1
        }
        // A binomial count of mean 1,000 and standard deviation 28: five of them either way.
        for count in counts { #expect((860...1140).contains(count)) }
    }

    // MARK: Stopping

    @Test(arguments: [true, false])
    func cancellingKeepsTheLastCompleteEpoch(duringValidation: Bool) throws {
        let (reference, data) = try smallProblem()
        try reference.fit(data, batchSize: 8, epochs: 2, options: temporary)

        let (model, _) = try smallProblem()
        let flag = CancellationFlag()
        var options = temporary
        options.cancellation = flag
        let stopper = EventHandler { event in
            switch event {
            case .step(let report) where report.epoch == 3 && report.step == 2 && !duringValidation: flag.cancel()
            case .validation(epoch: 3, let progress) where progress.done == 16: flag.cancel()
            default: break
            }
        }
        let history = try model.fit(
            data, batchSize: 8, epochs: 9, validation: data, callbacks: [stopper], options: options)
        #expect(history.isInterrupted)
        #expect(history.epochs == [1, 2])
        #expect(model.weights == reference.weights)
    }

    @Test func anErrorInTheMiddleKeepsTheLastCompleteEpochAndTheModelTrainsOn() throws {
        struct Broken: Error {}
        let (reference, data) = try smallProblem()
        try reference.fit(data, batchSize: 8, epochs: 1, options: temporary)
        let (model, _) = try smallProblem()
        let breaker = EventHandler { event in
            if case .step(let report) = event, report.epoch == 2, report.step == 2 { throw Broken() }
        }
        #expect(throws: Broken.self) {
            try model.fit(data, batchSize: 8, epochs: 3, callbacks: [breaker], options: temporary)
        }
        #expect(model.weights == reference.weights)
        try model.fit(data, batchSize: 8, options: temporary)
        #expect(model.weights != reference.weights)
    }

    @Test func aCallbackStopsTheRunAndSetsTheLearningRate() throws {
        final class Halver: Callback {
            var rates: [Float] = []
            func handle(_ event: TrainingEvent, in run: TrainingRun) throws {
                guard case .epoch(let report) = event else { return }
                rates.append(run.learningRate)
                run.learningRate /= 2
                if report.epoch == 3 { run.stop() }
            }
        }
        let (model, data) = try smallProblem(optimizer: SGD(learningRate: 0.5))
        let halver = Halver()
        let history = try model.fit(data, batchSize: 8, epochs: 9, callbacks: [halver], options: temporary)
        #expect(halver.rates == [0.5, 0.25, 0.125])
        #expect(history.epochs == [1, 2, 3])
        #expect(!history.isInterrupted)
    }

    @Test func aLossThatIsNoNumberNamesEpochAndStep() throws {
        let (model, data) = try smallProblem(optimizer: SGD(learningRate: 1e30))
        #expect {
            try model.fit(data, batchSize: 8, epochs: 3, options: temporary)
        } throws: { error in
            let message = (error as? GraftError)?.message ?? ""
            return message.hasPrefix("the loss became") && message.contains("of epoch 1, with a learning rate of 1e+30")
        }
        #expect(model.weights.allSatisfy { $0.scalars.allSatisfy(\.isFinite) })
    }

    @Test func variablesThatAreNotFiniteAreNotKept() throws {
        // The one step has a finite loss, and a change of √10 times the learning rate.
        let (model, data) = try smallProblem(optimizer: RMSprop(learningRate: .constant(.greatestFiniteMagnitude)))
        let weights = model.weights
        #expect {
            try model.fit(data, batchSize: 50, options: temporary)
        } throws: { error in
            ((error as? GraftError)?.message ?? "").contains("holds numbers that are not finite after epoch 1")
        }
        #expect(model.weights == weights)
    }

    /// In few elements, and in more than one processor looks at.
    @Test(arguments: [(37, 29), (1 << 20, (1 << 20) - 1), (5 << 18, 1 << 20), (5 << 18, (5 << 18) - 1)])
    func oneElementThatIsNotFiniteIsSeen(_ size: (count: Int, position: Int)) {
        var tensor = Tensor(repeating: -.greatestFiniteMagnitude, shape: [size.count])
        for wrong in [Float.nan, .infinity, -.infinity] {
            tensor.withUnsafeMutableBuffer { $0[size.position] = -.greatestFiniteMagnitude }
            #expect(tensor.isFinite)
            tensor.withUnsafeMutableBuffer { $0[size.position] = wrong }
            #expect(!tensor.isFinite)
        }
        #expect(Tensor(zeros: [0]).isFinite)
    }

    // MARK: Frozen is frozen

    @Test func frozenVariablesKeepEveryBit() throws {
        let (model, data) = try smallProblem()
        model.layers[0].trainable = false
        let (frozen, free) = (model.layers[0].weights, model.layers[model.layers.count - 1].weights)
        try model.fit(data, batchSize: 8, epochs: 2, options: temporary)
        #expect(model.layers[0].weights == frozen)
        #expect(model.layers[model.layers.count - 1].weights != free)
        model.layers[0].trainable = true
        try model.fit(data, batchSize: 8, options: temporary)
        #expect(model.layers[0].weights != frozen)
    }

    @Test func nothingTrainableThrows() throws {
        let (model, data) = try smallProblem()
        model.freeze()
        #expect { try model.fit(data, options: temporary) } throws: {
            ($0 as? GraftError)?.message
                == "nothing in the model \(model.name) is trainable; set `trainable` on a layer or add a head"
        }
    }
}

/// Remembers the loss of each step.
final class LossRecorder: Callback {
    private(set) var losses: [Double] = []
    func handle(_ event: TrainingEvent, in run: TrainingRun) {
        if case .step(let report) = event { losses.append(report.loss) }
    }
}

/// Options that leave nothing behind.
let temporary = TrainingOptions(features: .temporary, threads: 1)

/// The head of a fixture, with Keras's first values.
func head(of expected: KerasFixture.HeadCase) throws -> Sequential {
    let activation: ActivationFunction = expected.activation == "sigmoid" ? .sigmoid : .softmax
    let model = try Sequential(
        [Dense(16, activation: .relu), Dense(expected.units, activation: activation)], inputShape: [12])
    try model.setWeights(zip(expected.start, model.variables).map { Tensor($0, shape: $1.shape) })
    return model
}

func dataset(of expected: KerasFixture.HeadCase) throws -> ArrayDataset {
    try ArrayDataset(
        inputs: Tensor(expected.inputs, shape: [60, 12]), targets: Tensor(expected.targets, shape: [60]))
}

/// A net of two dense layers and 50 points in three classes.
func smallProblem(
    optimizer: any Optimizer = RMSprop(learningRate: 0.01), dropout: Double? = nil
) throws -> (Sequential, ArrayDataset) {
    let random = RandomStream(key: 5, stream: 0)
    let inputs = (0..<(50 * 4)).map { random.uniform(at: $0) * 2 - 1 }
    let targets = (0..<50).map { row -> Float in
        let point = inputs[(row * 4)..<(row * 4 + 3)]
        return Float((0..<3).max { point[row * 4 + $0] < point[row * 4 + $1] } ?? 0)
    }
    let middle: [Layer] = dropout.map { [Dropout($0)] } ?? []
    let model = try Sequential(
        [Dense(8, activation: .relu)] + middle + [Dense(3, activation: .softmax)], inputShape: [4], seed: 1)
    try model.compile(optimizer: optimizer, loss: .sparseCategoricalCrossentropy, metrics: [.accuracy])
    return (model, try ArrayDataset(inputs: Tensor(inputs, shape: [50, 4]), targets: Tensor(targets, shape: [50])))
}
