import GraftModel
import GraftTestSupport
import Testing

@testable import GraftTraining

@Suite struct AdaptTests {
    private func model() throws -> (Model, Normalization) {
        let input = Input(shape: [3])
        let layer = Normalization()
        return (try Model(inputs: input, outputs: layer(input)), layer)
    }

    @Test func meanAndVarianceAreThoseOfTheExamples() throws {
        let (model, layer) = try model()
        // By hand: columns 1 3 5 7, 2 2 4 4 and 0 0 0 8.
        let rows = Tensor([1, 2, 0, 3, 2, 0, 5, 4, 0, 7, 4, 8], shape: [4, 3])
        try model.adapt(layer, to: ArrayDataset(inputs: rows))
        let values = layer.variables.map(\.value.scalars)
        #expect(values[0] == [4, 3, 2])
        #expect(values[1] == [5, 1, 12])
        #expect(values[2] == [4])
        let result = try model.predict(rows).scalars
        #expect(abs(result[0] - -3 / Float(5).squareRoot()) < 1e-6)
    }

    @Test func aFeatureThatNeverChangesIsNotBlownUp() throws {
        let (model, layer) = try model()
        let rows = Tensor([1, 9, 0, 3, 9, 4], shape: [2, 3])
        try model.adapt(layer, to: ArrayDataset(inputs: rows))
        // Variances 1, 0, 4: a hundredth of their mean stands for the zero.
        #expect(abs(layer.variables[1].value.scalars[1] - 5 / 300) < 1e-6)
    }

    @Test func examplesAreTakenFromAllOver() throws {
        let (model, layer) = try model()
        let rows = Tensor((0..<30).map { Float($0 / 3) }, shape: [10, 3])
        try model.adapt(layer, to: ArrayDataset(inputs: rows), count: 5)
        // Rows 0, 2, 4, 6, 8.
        #expect(layer.variables[0].value.scalars == [4, 4, 4])
        #expect(layer.variables[2].value.scalars == [5])
    }

    @Test func aLayerWithGivenStatisticsIsRefused() throws {
        let input = Input(shape: [3])
        let layer = Normalization(mean: 0, variance: 1)
        let model = try Model(inputs: input, outputs: layer(input))
        let error = #expect(throws: GraftError.self) {
            try model.adapt(layer, to: ArrayDataset(inputs: Tensor([1, 2, 3], shape: [1, 3])))
        }
        #expect(error?.code == .argument)
        #expect(error?.message.contains("cannot be adapted") == true)
    }
}
