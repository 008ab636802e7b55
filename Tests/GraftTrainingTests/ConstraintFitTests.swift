import GraftGraph
import GraftModel
import GraftTestSupport
import KerasFixtures
import Testing

@testable import GraftTraining

/// Constraints, penalties on variables and penalties on outputs, in `fit` and `evaluate`.
@Suite struct ConstraintFitTests {
    /// Batches of 10, 10 and 4: penalties on outputs are divided by the examples of a batch. Four epochs of float32 sums of
    /// at most a few hundred products, as every network here is compared.
    @Test(arguments: KerasFixture.shared.constrained)
    func fourEpochsEqualKeras(_ expected: KerasFixture.ConstrainedCase) throws {
        let model = try Model.deserialize(expected.config)
        try model.setWeights(zip(expected.start, model.variables).map { Tensor($0, shape: $1.shape) })
        try model.compile(
            optimizer: SGD(learningRate: 0.1, momentum: 0.9), loss: .binaryCrossentropy, metrics: [.accuracy])
        let (inputs, targets) = (
            Tensor(expected.inputs, shape: [36, 5, 5, 2]), Tensor(expected.targets, shape: [36])
        )
        func part(_ range: Range<Int>) throws -> ArrayDataset {
            try ArrayDataset(inputs: inputs.rows(Array(range)), targets: targets.rows(Array(range)))
        }
        let history = try model.fit(
            part(0..<24), batchSize: 10, epochs: 4, validation: part(24..<36), shuffle: false,
            options: temporary)
        for (key, wanted) in expected.history {
            #expect(history[key].count == wanted.count)
            for (epoch, (value, wanted)) in zip(history[key], wanted).enumerated() {
                #expect(abs(value - wanted) <= 1e-4 * wanted, "\(key), epoch \(epoch + 1): \(value), not \(wanted)")
            }
        }
        for (variable, wanted) in zip(model.variables, expected.end) {
            expectClose(variable.value.scalars, wanted, tolerance: 1e-4, "\(variable.path)")
        }
    }

    @Test func constraintsHoldAfterEachStepAndFrozenVariablesStay() throws {
        let frozen = Dense(3, kernelInitializer: .constant(5), kernelConstraint: .unitNorm(), name: "frozen")
        let trained = Dense(2, kernelInitializer: .constant(5), kernelConstraint: .unitNorm(), name: "trained")
        let model = try Sequential([frozen, trained], inputShape: [4])
        frozen.trainable = false
        try model.compile(optimizer: SGD(learningRate: 0), loss: .meanSquaredError)
        let data = try ArrayDataset(
            inputs: Tensor([Float](repeating: 1, count: 8), shape: [2, 4]),
            targets: Tensor([0, 0, 0, 0], shape: [2, 2]))
        try model.fit(data, epochs: 1, options: temporary)
        #expect(frozen.kernel?.value.scalars.allSatisfy { $0 == 5 } == true)
        // Three numbers of 5 in a column: 1 / √3 each, rounded to float32.
        let expected = [Float](repeating: 0.577_350_26, count: 6)
        expectClose(try #require(trained.kernel).value.scalars, expected, tolerance: 1e-6, "kernel")
    }

    /// The penalty of a layer in the frozen trunk is paid at every step from kept features too: examples are not kept by it.
    @Test func penaltyOfAFrozenLayersOutputsIsInTheLoss() throws {
        func loss(_ regularizer: Regularizer?) throws -> Double {
            let base = Dense(2, useBias: false, kernelInitializer: .constant(0.5))
            base.activityRegularizer = regularizer
            base.trainable = false
            let model = try Sequential([base, Dense(1, kernelInitializer: .zeros)], inputShape: [2])
            try model.compile(optimizer: SGD(learningRate: 0), loss: .meanSquaredError)
            let data = try ArrayDataset(
                inputs: Tensor([1, 1, 2, 2], shape: [2, 2]), targets: Tensor([0, 0], shape: [2, 1]))
            let trained = try model.fit(
                data, batchSize: 2, epochs: 1, options: temporary)["loss"][0]
            let evaluated = try model.evaluate(data, batchSize: 2).loss
            #expect(abs(trained - evaluated) < 1e-6)
            return trained
        }
        // Outputs (1, 1) and (2, 2): the sum of squares is 10, of two examples 5 each.
        let difference = try loss(.l2(0.1)) - loss(nil)
        #expect(abs(difference - 0.5) < 1e-6)
    }
}
