import Graft
import Testing

/// Two models on the same inputs.
@Suite struct ModelComparisonTests {
    private func model(_ weights: [Float]) throws -> Model {
        let input = Input(shape: [2])
        let dense = Dense(2, useBias: false, name: "dense")
        let model = try Model(inputs: input, outputs: dense(input))
        try dense.setWeights([Tensor(weights, shape: [2, 2])])
        return model
    }

    @Test func equalModelsDoNotDiffer() throws {
        let comparison = try ModelComparison(of: model([1, 2, 3, 4]), and: model([1, 2, 3, 4]))
        #expect(comparison.difference == 0 && comparison.exampleCount == 4 && comparison.sameClassCount == 4)
    }

    /// Outputs are (x + 3y, 2x + 4y) and the same with a hundredth of x more: a hundredth of |x| over the largest output.
    @Test func aChangedWeightShows() throws {
        let comparison = try ModelComparison(of: model([1, 2, 3, 4]), and: model([1.01, 2, 3, 4]))
        #expect(comparison.difference > 1e-4 && comparison.difference < 0.01)
        let turned = try ModelComparison(of: model([1, 0, 0, 0]), and: model([-1, 0, 0, 0]))
        #expect(turned.sameClassCount == 0 && turned.difference == 2)
        let broken = try ModelComparison(of: model([1, 2, 3, 4]), and: model([.nan, 2, 3, 4]))
        #expect(!(broken.difference <= ModelComparison.tolerance))
    }

    @Test func modelsOfOtherShapesAreRefused() throws {
        let input = Input(shape: [3])
        let other = try Model(inputs: input, outputs: Dense(2)(input))
        #expect(throws: GraftError.self) { try ModelComparison(of: model([1, 2, 3, 4]), and: other) }
    }
}
