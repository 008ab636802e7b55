import GraftGraph
import Testing

@testable import GraftLearning

@Suite struct MetricTests {
    @Test func oneOutputMeansBinaryAccuracy() throws {
        #expect(try run(.accuracy, [0.6, 0.4, 0.5, 0.9], [4, 1], [1, 1, 0, 0], [4]) == 0.5)
    }

    @Test func classNumbersMeanSparseCategoricalAccuracy() throws {
        let predictions: [Float] = [0.1, 0.8, 0.1, 0.5, 0.2, 0.3, 0.2, 0.2, 0.6, 0.3, 0.4, 0.3]
        #expect(try run(.accuracy, predictions, [4, 3], [1, 0, 1, 1], [4]) == 0.75)
        #expect(try run(.accuracy, predictions, [4, 3], [1, 0, 1, 1], [4, 1]) == 0.75)
    }

    @Test func rowsMeanCategoricalAccuracy() throws {
        let predictions: [Float] = [0.1, 0.8, 0.1, 0.5, 0.2, 0.3]
        #expect(try run(.accuracy, predictions, [2, 3], [0, 1, 0, 0, 0, 1], [2, 3]) == 0.5)
    }

    /// Keras's names for what `accuracy` resolves to; several outputs of an example count with their mean.
    @Test func accuraciesCanBeNamed() throws {
        #expect(try run(.binaryAccuracy, [0.6, 0.4, 0.9, 0.9], [2, 2], [1, 0, 1, 0], [2, 2]) == 0.75)
        #expect(try run(.categoricalAccuracy, [0.6, 0.4, 0.1, 0.9], [2, 2], [1, 0, 1, 0], [2, 2]) == 0.5)
        #expect(Metric.binaryAccuracy.name == "binary_accuracy")
        #expect(Metric.categoricalAccuracy.name == "categorical_accuracy")
    }

    @Test func theFirstOfEqualPredictionsCounts() throws {
        #expect(try run(.sparseCategoricalAccuracy, [1, 1, 1, 0, 2, 2], [2, 3], [0, 1], [2]) == 1)
        #expect(try run(.sparseCategoricalAccuracy, [1, 1, 1, 0, 2, 2], [2, 3], [1, 2], [2]) == 0)
    }

    @Test func batchesOfUnequalSizeWeighByExample() {
        let objective = Objective([(name: "output", loss: .binaryCrossentropy, weight: 1)])
        var figures = RunningMetrics(Measures(objective, [OutputMetric(key: "accuracy", output: 0, .accuracy)]))
        figures.add([Tensor(6), Tensor(3)], targets: [Tensor(zeros: [3])], examples: 3)
        figures.add([Tensor(2), Tensor(0)], targets: [Tensor(zeros: [1])], examples: 1)
        #expect(figures.values == ["loss": 2, "accuracy": 0.75])
    }

    @Test func topConfusionsComeWithTheMostFrequentFirst() {
        var confusion = ConfusionMatrix()
        // Class 0 once for 1 and twice for 2, class 2 twice for 0, class 1 always right.
        let (there, predicted) = ([0, 0, 0, 0, 1, 2, 2] as [Float], [0, 1, 2, 2, 1, 0, 0])
        let rows = predicted.flatMap { choice in (0..<3).map { $0 == choice ? Float(1) : 0 } }
        confusion.add(Tensor(rows, shape: [7, 3]), Tensor(there, shape: [7]))
        let found = confusion.topConfusions(names: ["c", "b", "a"])
        #expect(found.map(\.name) == ["a", "c", "c"] && found.map(\.predicted) == ["c", "a", "b"])
        #expect(found.map(\.count) == [2, 2, 1])
        #expect(confusion.topConfusions(names: nil).last?.name == "class 0")
        #expect(ConfusionMatrix().topConfusions(names: ["a"]).isEmpty)
    }

    private func run(
        _ metric: Metric, _ predictions: [Float], _ shape: Shape, _ targets: [Float], _ targetShape: Shape
    ) throws -> Double {
        try MeasuredMetric.value(
            metric, Tensor(predictions, shape: shape), Tensor(targets, shape: targetShape))
    }
}
