import GraftGraph
import GraftModel
import GraftTestSupport
import KerasFixtures
import Testing

@testable import GraftTraining

/// Weights, penalties, accumulation, averages and schedules through `fit`.
@Suite struct LearningFitTests {
    /// Two epochs of three steps: losses within 1e-5 relative, variables within rounding of six steps of Adam, whose
    /// first steps magnify small gradients' rounding.
    @Test(arguments: LearningFixture.shared.fits)
    func twoEpochsEqualKeras(_ expected: LearningFixture.FitCase) throws {
        let (model, settings) = try classifier(expected)
        try model.compile(
            optimizer: Adam(learningRate: 0.05, settings: settings), loss: .sparseCategoricalCrossentropy)
        let data = try dataset(expected)
        let history = try model.fit(
            data, batchSize: 8, epochs: 2, shuffle: false,
            classWeights: expected.name == "class weights" ? [0: 0.5, 2: 3] : [:], sampleWeights: expected.weights,
            options: temporary)
        for (loss, wanted) in zip(history["loss"], expected.losses) {
            #expect(abs(loss - wanted) <= 1e-5 * wanted, "\(loss), expected \(wanted)")
        }
        for (index, (value, wanted)) in zip(model.weights, expected.values).enumerated() {
            expectClose(value.scalars, wanted, tolerance: 2e-5, "variable \(index)")
        }
        let evaluation = try model.evaluate(data, batchSize: 8, options: temporary)
        #expect(abs(evaluation.loss - expected.evaluation) <= 1e-5 * expected.evaluation)
    }

    @Test func weightsThatDoNotFitThrow() throws {
        let (model, data) = try smallProblem()
        #expect { try model.fit(data, sampleWeights: [1], options: temporary) } throws: {
            ($0 as? GraftError)?.message == "there are 1 sample weights for 50 examples; give one for each"
        }
        #expect { try model.fit(data, classWeights: [2: -1], options: temporary) } throws: {
            ($0 as? GraftError)?.message == "the weight of class 2 is -1.0; it must be 0 or more"
        }
    }

    @Test func frozenVariablesKeepEveryBitWithEverySetting() throws {
        let settings = OptimizerSettings(
            weightDecay: 0.1, clipping: .globalNorm(1), accumulationSteps: 2,
            movingAverage: MovingAverage(momentum: 0.9, overwriteFrequency: 2))
        for optimizer in [
            AdamW(settings: settings), Nadam(settings: settings), Adagrad(settings: settings), Lion(settings: settings),
            SGD(momentum: 0.9, settings: settings), RMSprop(settings: settings),
        ] as [any Optimizer] {
            let (model, data) = try smallProblem(optimizer: optimizer)
            model.layers[0].trainable = false
            let (frozen, free) = (model.layers[0].weights, model.layers[model.layers.count - 1].weights)
            try model.fit(data, batchSize: 8, epochs: 2, options: temporary)
            #expect(model.layers[0].weights == frozen, "\(optimizer.name)")
            #expect(model.layers[model.layers.count - 1].weights != free, "\(optimizer.name)")
        }
    }

    @Test func aScheduleCountsStepsOverSeveralFits() throws {
        final class Rates: Callback {
            var rates: [Float] = []
            func handle(_ event: TrainingEvent, in run: TrainingRun) {
                if case .step = event { rates.append(run.learningRate) }
            }
        }
        let schedule = LearningRateSchedule("ascending") { Float($0) / 1000 }
        let (model, data) = try smallProblem(optimizer: SGD(learningRate: schedule))
        let rates = Rates()
        // 50 examples in batches of 20: three steps an epoch. The rate seen after a step is that of the next one.
        try model.fit(data, batchSize: 20, callbacks: [rates], options: temporary)
        try model.fit(data, batchSize: 20, callbacks: [rates], options: temporary)
        #expect(rates.rates == (1...6).map { Float($0) / 1000 })
    }

    // MARK: The learning-rate finder

    @Test func findingALearningRateLeavesEveryBitAsItWas() throws {
        let (model, data) = try smallProblem(optimizer: Adam(learningRate: 0.01), dropout: 0.5)
        let (reference, _) = try smallProblem(optimizer: Adam(learningRate: 0.01), dropout: 0.5)
        for model in [model, reference] { try model.fit(data, batchSize: 8, options: temporary) }
        let curve = try model.findLearningRate(data, from: 1e-6, to: 1, steps: 40, batchSize: 50, options: temporary)
        #expect(model.weights == reference.weights)
        // What the optimizer remembers and the steps counted are the same too.
        for model in [model, reference] { try model.fit(data, batchSize: 8, options: temporary) }
        #expect(model.weights == reference.weights)
        #expect(curve.rates.count == curve.losses.count)
        #expect(curve.rates.first == 1e-6)
        let suggested = try #require(curve.suggested)
        #expect((1e-6...0.1).contains(suggested))
    }

    @Test func findingALearningRateEndsWhereTheLossLeaves() throws {
        let (model, data) = try smallProblem(optimizer: SGD())
        let before = model.weights
        let curve = try model.findLearningRate(data, from: 1, to: 1e30, steps: 50, batchSize: 8, options: temporary)
        #expect(curve.losses.count < 50)
        let areFinite = curve.losses.allSatisfy { $0.isFinite }
        #expect(areFinite)
        #expect(model.weights == before)
        #expect(throws: GraftError.self) { try model.findLearningRate(data, from: 1, to: 0.1, options: temporary) }
    }

    @Test func theSuggestedRateIsATenthOfThatOfTheSmallestLoss() throws {
        // Flat, then a fall until step 20, then a rise that is steep enough to be seen at once in the average.
        let losses = (0..<30).map { step -> Double in
            if step > 20 { return Double(step) }
            return 2 - Double(max(step - 10, 0)) / 10
        }
        let curve = LearningRateCurve(rates: (0..<30).map { Float($0 + 1) }, losses: losses)
        #expect(curve.suggested == 2.1)
        #expect(Float(0.000123456).asLearningRate == "0.00012")
        #expect(Float(2.1).asLearningRate == "2.1" && Float(1.26e-7).asLearningRate == "1.3e-07")
        #expect(LearningRateCurve(rates: [1, 2, 3], losses: [1, 2, 3]).suggested == nil)
        #expect(LearningRateCurve(rates: [], losses: []).suggested == nil)
        let smoothed = LearningRateCurve(rates: [1, 2], losses: [3, 6]).smoothedLosses
        // 0.1 · 3 / 0.1 and (0.09 · 3 + 0.1 · 6) / 0.19
        #expect(abs(smoothed[0] - 3) < 1e-9)
        #expect(abs(smoothed[1] - 0.87 / 0.19) < 1e-9)
    }

    // MARK: Models

    /// The fixture's classifier with Keras's first values, and its optimizer's settings.
    private func classifier(_ expected: LearningFixture.FitCase) throws -> (Sequential, OptimizerSettings) {
        let (hidden, bias, last): (Regularizer?, Regularizer?, Regularizer?) =
            switch expected.name {
            case "penalties": (.l1l2(l1: 0.01, l2: 0.02), .l2(0.03), .l1(0.04))
            case "penalties of a frozen layer": (.l2(0.5), nil, .l2(0.1))
            default: (nil, nil, nil)
            }
        let model = try Sequential(
            [
                Dense(5, activation: .relu, kernelRegularizer: hidden, biasRegularizer: bias),
                Dense(3, activation: .softmax, kernelRegularizer: last),
            ], inputShape: [4])
        try model.setWeights(zip(expected.start, model.variables).map { Tensor($0, shape: $1.shape) })
        if expected.name == "penalties of a frozen layer" { model.layers[0].trainable = false }
        let settings =
            expected.name == "accumulation and average"
            ? OptimizerSettings(accumulationSteps: 2, movingAverage: MovingAverage(momentum: 0.8)) : OptimizerSettings()
        return (model, settings)
    }

    private func dataset(_ expected: LearningFixture.FitCase) throws -> ArrayDataset {
        try ArrayDataset(
            inputs: Tensor(expected.inputs, shape: [20, 4]), targets: Tensor(expected.targets, shape: [20]))
    }
}
