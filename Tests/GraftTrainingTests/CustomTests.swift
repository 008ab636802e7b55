import GraftGraph
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Losses and metrics as `Documentation/Training.md` writes them.
@Suite struct CustomTests {
    @Test func theDocumentedLossAndMetricTrain() throws {
        let huber = Loss("huber") { predictions, targets in
            let error = try (predictions - targets).unary(.absolute)
            let isSmall = try error.binary(.greaterOrEqual, 1).binary(.equal, 0)
            return try (0.5 * error.squared()).selected(where: isSmall, otherwise: error + -0.5)
        }
        let absolute = Metric("mean_absolute_error") { predictions, targets in
            try (predictions - targets).unary(.absolute).meanPerExample().reduced(.sum)
        }
        let model = try Sequential([Dense(1)], inputShape: [1])
        try model.setWeights([Tensor([2], shape: [1, 1]), Tensor([0], shape: [1])])
        try model.compile(optimizer: SGD(learningRate: 0.1), loss: huber, metrics: [absolute])
        // Predictions 2, 4 and 0.5 for 1.5, 1 and 0.5: errors 0.5, 3 and 0.
        let data = try ArrayDataset(
            inputs: Tensor([1, 2, 0.25], shape: [3, 1]), targets: Tensor([1.5, 1, 0.5], shape: [3, 1]))
        let history = try model.fit(data, batchSize: 3, options: temporary)
        #expect(abs(history["loss"][0] - (0.125 + 2.5) / 3) < 1e-6)
        #expect(abs(history["mean_absolute_error"][0] - 3.5 / 3) < 1e-6)
        // The gradient is (0.5 · 1 + 1 · 2 + 0) / 3 for the kernel, (0.5 + 1) / 3 for the bias.
        expectClose(model.weights.flatMap(\.scalars), [2 - 0.25 / 3, -0.05], tolerance: 1e-6, "variables")
    }
}
