import GraftModel
import GraftTestSupport
import Testing

@Suite struct BatchNormalizationTests {
    /// Two channels, four rows: means 2.5 and 5, variances 1.25 and 5.
    let input = Tensor([1, 2, 2, 4, 3, 6, 4, 8], shape: [4, 2])

    private func model(_ layer: BatchNormalization) throws -> Model {
        let x = Input(shape: [2])
        let model = try Model(inputs: x, outputs: layer(x))
        try layer.setWeights([
            Tensor([2, 3], shape: [2]), Tensor([10, 20], shape: [2]), Tensor([1, 1], shape: [2]),
            Tensor([4, 9], shape: [2]),
        ])
        return model
    }

    /// (x − 1) / √4 · 2 + 10 and (x − 1) / √9 · 3 + 20
    private let stored = ReferenceArray([10, 21, 11, 23, 12, 25, 13, 27], shape: [4, 2])

    @Test func inferenceUsesTheStoredStatistics() throws {
        let result = try interpret(model(BatchNormalization(epsilon: 0)), [input])
        expectClose(result.outputs[0], stored, tolerance: 1e-12)
        #expect(result.updates.isEmpty)
    }

    @Test func trainingUsesTheBatchAndMovesTheStatistics() throws {
        let layer = BatchNormalization(momentum: 0.75, epsilon: 0)
        let result = try interpret(model(layer), [input], training: true)
        let unit = [-1.5, -0.5, 0.5, 1.5].map { $0 / 1.25.squareRoot() }
        expectClose(
            result.outputs[0], ReferenceArray(unit.flatMap { [2 * $0 + 10, 3 * $0 + 20] }, shape: [4, 2]),
            tolerance: 1e-12)
        let mean = try #require(result.updates[layer.requireVariable("moving_mean")])
        let variance = try #require(result.updates[layer.requireVariable("moving_variance")])
        // moving · 0.75 + batch · 0.25, with the variance divided by the count
        #expect(mean.values == [1 * 0.75 + 2.5 * 0.25, 1 * 0.75 + 5 * 0.25])
        #expect(variance.values == [4 * 0.75 + 1.25 * 0.25, 9 * 0.75 + 5 * 0.25])
        #expect(result.updates.count == 2)
    }

    @Test func frozenLayerUsesTheStoredStatisticsInTraining() throws {
        let layer = BatchNormalization(epsilon: 0)
        let model = try model(layer)
        layer.trainable = false
        let result = try interpret(model, [input], training: true)
        expectClose(result.outputs[0], stored, tolerance: 1e-12)
        #expect(result.updates.isEmpty)
        #expect(layer.trainableVariables.isEmpty && layer.nonTrainableVariables.count == 4)
    }

    @Test func frozenStatisticsStayWhileScaleAndOffsetTrain() throws {
        let layer = BatchNormalization(epsilon: 0)
        let model = try model(layer)
        model.setStatistics(.frozen)
        #expect(layer.statistics == .frozen)
        let result = try interpret(model, [input], training: true)
        expectClose(result.outputs[0], stored, tolerance: 1e-12)
        #expect(result.updates.isEmpty)
        #expect(model.trainableVariables.map(\.name) == ["gamma", "beta"])
        layer.statistics = .updating
        #expect(try interpret(model, [input], training: true).updates.count == 2)
    }

    @Test func choosingStatisticsReachesModelsInside() throws {
        let layer = BatchNormalization()
        let outer = try Sequential([model(layer), BatchNormalization()])
        outer.setStatistics(.frozen)
        #expect(layer.statistics == .frozen)
        #expect(try interpret(outer, [input], training: true).updates.isEmpty)
    }

    @Test func layerInsideAFrozenModelUsesTheStoredStatistics() throws {
        let layer = BatchNormalization(epsilon: 0)
        let base = try model(layer)
        base.freeze()
        layer.trainable = true
        let outer = try Sequential([base, Dense(1)])
        let result = try interpret(outer, [input], training: true)
        #expect(result.updates.isEmpty)
        #expect(outer.trainableVariables.map(\.path) == ["dense/kernel", "dense/bias"])
    }

    @Test func callWithTrainingFalseUsesTheStoredStatistics() throws {
        let base = try model(BatchNormalization(epsilon: 0))
        let x = Input(shape: [2])
        let held = try Model(inputs: x, outputs: base(x, training: false))
        let result = try interpret(held, [input], training: true)
        expectClose(result.outputs[0], stored, tolerance: 1e-12)
        #expect(result.updates.isEmpty)
        #expect(held.trainableVariables.map(\.name) == ["gamma", "beta"])
        let live = try Model(inputs: x, outputs: base(x))
        #expect(try interpret(live, [input], training: true).updates.count == 2)
    }

    @Test func foldingFindsAScaleAndAShiftOfVectors() throws {
        let x = Input(shape: [4, 4, 3])
        let y = try BatchNormalization()(Conv2D(2, kernelSize: 3, useBias: false)(x))
        let lowered = try Model(inputs: x, outputs: y).lower(batchSize: 1, training: false)
        let sum = lowered.graph[lowered.outputs[0]]
        #expect(sum.operation == .elementwise(.binary(.add)))
        #expect(lowered.graph.shape(of: sum.operands[1]) == [2])
        let product = lowered.graph[sum.operands[0]]
        #expect(product.operation == .elementwise(.binary(.multiply)))
        #expect(lowered.graph.shape(of: product.operands[1]) == [2])
        #expect(lowered.graph[product.operands[0]].operation == .convolution(.forward(Convolution(), .none)))
    }

    @Test func withoutScaleAndCentreOnlyStatisticsRemain() throws {
        let layer = BatchNormalization(epsilon: 0, center: false, scale: false)
        let x = Input(shape: [2])
        let model = try Model(inputs: x, outputs: layer(x))
        try layer.setWeights([Tensor([1, 1], shape: [2]), Tensor([4, 9], shape: [2])])
        let result = try interpret(model, [Tensor([3, 4], shape: [1, 2])])
        expectClose(result.outputs[0], ReferenceArray([1, 1], shape: [1, 2]), tolerance: 1e-12)
    }

    @Test(arguments: [0, 4, -4]) func axesThatAreNotThereAreRefused(_ axis: Int) throws {
        #expect(throws: GraftError.self) { try BatchNormalization(axis: axis)(Input(shape: [4, 4, 3])) }
    }
}
