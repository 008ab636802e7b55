import GraftModel
import GraftTestSupport
import Testing

@Suite struct SpatialDropout2DTests {
    /// Two pictures of 3 × 3 with 500 channels of ones, through the layer.
    private func run(_ layer: SpatialDropout2D, training: Bool = true, key: UInt64 = 1) throws -> ReferenceArray {
        let x = Input(shape: [3, 3, 500])
        let ones = Tensor(repeating: 1, shape: [2, 3, 3, 500])
        let model = try Model(inputs: x, outputs: layer(x))
        return try interpret(model, [ones], training: training, randomKey: key).outputs[0]
    }

    @Test func dropsWholeChannelsOfEachPictureAndScalesTheOthersUp() throws {
        let values = try run(SpatialDropout2D(0.3)).values
        let first = values.indices.filter { $0 % 4500 < 500 }.map { values[$0] }
        for index in values.indices {
            #expect(values[index] == first[index / 4500 * 500 + index % 500])
        }
        #expect(Set(values) == [0, Double(Float(1 / (1 - 0.3)))])
        #expect(first.prefix(500) != first.suffix(500))
        // 1,000 draws with probability 0.3 have a deviation of 14.5; five of them are 72.
        #expect(abs(first.filter { $0 == 0 }.count - 300) < 72)
    }

    @Test func doesNothingOutsideTraining() throws {
        #expect(Set(try run(SpatialDropout2D(0.5), training: false).values) == [1])
        #expect(Set(try run(SpatialDropout2D(0)).values) == [1])
    }

    @Test func rateOneDropsEverything() throws { #expect(Set(try run(SpatialDropout2D(1)).values) == [0]) }

    @Test func drawsFollowTheRunsKeyAndTheSeed() throws {
        #expect(try run(SpatialDropout2D(0.5), key: 1) == run(SpatialDropout2D(0.5), key: 1))
        #expect(try run(SpatialDropout2D(0.5), key: 1) != run(SpatialDropout2D(0.5), key: 2))
        #expect(try run(SpatialDropout2D(0.5, seed: 3)) != run(SpatialDropout2D(0.5, seed: 4)))
    }

    @Test func configurationGoesRound() throws {
        let layer = SpatialDropout2D(0.25, seed: 7, name: "spatial")
        let again = try LayerRegistry.standard.layer("SpatialDropout2D", .object(layer.configuration))
        #expect(again.configuration == layer.configuration)
    }

    @Test func otherRanksAndRatesAreRefused() throws {
        #expect(throws: GraftError.self) { try SpatialDropout2D(0.5)(Input(shape: [4])) }
        #expect(throws: GraftError.self) { try SpatialDropout2D(1.5)(Input(shape: [4, 4, 3])) }
    }
}
