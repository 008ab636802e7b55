import GraftGraph
import GraftModel
import GraftTestSupport
import Synchronization
import Testing

@testable import GraftTraining

@Suite struct PredictionTests {
    @Test func predictionsDoNotDependOnTheBatchSize() throws {
        let (model, data) = try smallProblem()
        let whole = try model.predict(data, batchSize: 50).outputs[0]
        for batchSize in [1, 7, 49, 200] {
            let parts = try model.predict(data, batchSize: batchSize).outputs[0]
            expectClose(parts.scalars, whole.scalars, tolerance: 1e-6, "batches of \(batchSize)")
        }
    }

    @Test func predictionsFollowTheVariables() throws {
        let (model, data) = try smallProblem()
        let before = try model.predict(data).outputs[0]
        #expect(try model.predict(data).outputs[0] == before)
        let old = model.weights
        try model.setWeights(old.map { Tensor(repeating: 0.5, shape: $0.shape) })
        let after = try model.predict(data).outputs[0]
        for value in after.scalars { #expect(abs(value - 1 / 3) < 1e-6) }
        try model.setWeights(old)
        #expect(try model.predict(data).outputs[0] == before)
        try model.fit(data, options: temporary)
        #expect(try model.predict(data).outputs[0] != before)
    }

    @Test func manyThreadsPredictAtOnce() async throws {
        let (model, data) = try smallProblem()
        let expected = try model.predict(data, batchSize: 16).outputs[0]
        let fresh = try Sequential(
            [Dense(8, activation: .relu), Dense(3, activation: .softmax)], inputShape: [4], seed: 1)
        try fresh.setWeights(model.weights)
        let results = try await withThrowingTaskGroup(of: Tensor.self) { group in
            for _ in 0..<8 { group.addTask { try fresh.predict(data, batchSize: 16).outputs[0] } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.count == 8)
        #expect(results.allSatisfy { $0 == expected })
    }

    @Test func aModelWithTwoOutputsPredictsBothAndDoesNotTrain() throws {
        let input = Input(shape: [4])
        let model = try Model(inputs: input, outputs: [Dense(2)(input), Dense(3)(input)])
        let outputs = try model.predict([Tensor(repeating: 1, shape: [5, 4])])
        #expect(outputs.map(\.shape) == [[5, 2], [5, 3]])
        try model.compile(optimizer: SGD(), loss: .meanSquaredError)
        let data = try ArrayDataset(inputs: Tensor(zeros: [5, 4]), targets: Tensor(zeros: [5, 2]))
        #expect(throws: GraftError.self) { try model.fit(data, options: temporary) }
    }

    @Test func inputsOfAnotherShapeThrow() throws {
        let (model, _) = try smallProblem()
        #expect {
            _ = try model.predict(Tensor(zeros: [2, 5]))
        } throws: {
            ($0 as? GraftError)?.message == "an example has the shape (5,); the model takes (4,)"
        }
    }

    @Test func cancelledPredictionThrows() throws {
        let (model, data) = try smallProblem()
        let flag = CancellationFlag()
        flag.cancel()
        #expect {
            _ = try model.predict(data, options: TrainingOptions(cancellation: flag))
        } throws: {
            ($0 as? GraftError)?.code == .cancelled
        }
    }

    // MARK: Evaluation

    @Test func evaluationCountsEachClass() throws {
        // The model says class 1 where the input is positive, class 0 elsewhere.
        let model = try Sequential([Dense(1, activation: .sigmoid)], inputShape: [1])
        try model.setWeights([Tensor([8], shape: [1, 1]), Tensor([0], shape: [1])])
        let data = try ArrayDataset(
            inputs: Tensor([1, 1, -1, 1, -1], shape: [5, 1]), targets: Tensor([1, 1, 1, 0, 0], shape: [5]),
            classNames: ["cats", "dogs"])
        let evaluation = try model.evaluate(data, batchSize: 2)
        #expect(
            evaluation.classes == [
                ClassMetrics(name: "cats", count: 2, correct: 1, predicted: 2),
                ClassMetrics(name: "dogs", count: 3, correct: 2, predicted: 3),
            ])
        #expect(evaluation.figures["accuracy"] == 0.6)
        #expect(evaluation.classes[1].recall == 2.0 / 3)
        #expect(evaluation.classes[0].precision == 0.5)
        // Two wrong ones of loss 8 and three right ones of nearly none.
        #expect(abs(evaluation.loss - 16 / 5) < 1e-3)
        #expect(evaluation.exampleCount == 5)
    }

    @Test func evaluationOfRowsTakesTheLargest() {
        var count = ConfusionMatrix()
        count.add(
            Tensor([0.2, 0.5, 0.3, 0.4, 0.4, 0.2], shape: [2, 3]), Tensor([0, 1, 0, 0, 0, 1], shape: [2, 3]))
        #expect(count.classMetrics(names: nil).map(\.correct) == [0, 1, 0])
        #expect(count.classMetrics(names: nil).map(\.predicted) == [1, 1, 0])
        #expect(count.classMetrics(names: nil).map(\.name) == ["class 0", "class 1", "class 2"])
    }
}
