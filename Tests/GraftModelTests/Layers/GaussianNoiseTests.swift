import Foundation
import GraftModel
import GraftTestSupport
import Testing

@Suite struct GaussianNoiseTests {
    private func run(
        _ layer: GaussianNoise, training: Bool = true, key: UInt64 = 1, count: Int = 100_000
    ) throws -> [Double] {
        let x = Input(shape: [count])
        let model = try Model(inputs: x, outputs: layer(x))
        let zeros = Tensor(repeating: 0, shape: [1, count])
        return try interpret(model, [zeros], training: training, randomKey: key).outputs[0].values
    }

    @Test func noiseIsNormalWithTheDeviationAskedFor() throws {
        let values = try run(GaussianNoise(0.5)).map { $0 / 0.5 }
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        // Five deviations of each: 1 / √n, √(2 / n), √(p / n).
        #expect(abs(mean) < 5 / count.squareRoot())
        #expect(abs(variance - 1) < 5 * (2 / count).squareRoot())
        for (limit, share) in [(1, 0.317311), (2, 0.045500), (3, 0.002700)] as [(Double, Double)] {
            let outside = Double(values.filter { abs($0) > limit }.count) / count
            #expect(abs(outside - share) < 5 * (share / count).squareRoot(), "beyond \(limit)")
        }
    }

    /// erf(z / √2) is the uniform number that z was made of.
    @Test func numbersAreTheNormalQuantilesOfTheStream() throws {
        let values = try run(GaussianNoise(1, seed: 5), key: 3)
        let stream = RandomStream(key: 3, stream: 1 << 63 | 5)
        var worst = 0.0
        for (position, value) in values.enumerated() {
            let x = 2 * Double(stream.uniform(at: position)) - (1 - 0x1p-24)
            // What is left over, by Newton's rule as an error of z.
            let error = (erf(value / 2.0.squareRoot()) - x) / (2 / Double.pi).squareRoot() * exp(value * value / 2)
            worst = max(worst, abs(error))
        }
        // The polynomials' error, 4e-7 of z, which is below 5.4, and the rounding of the coefficients.
        #expect(worst < 4e-6)
    }

    @Test func doesNothingOutsideTraining() throws {
        #expect(Set(try run(GaussianNoise(0.5), training: false, count: 64)) == [0])
        #expect(Set(try run(GaussianNoise(0), count: 64)) == [0])
    }

    @Test func drawsFollowTheRunsKeyAndTheSeed() throws {
        #expect(try run(GaussianNoise(0.5), key: 1, count: 64) == run(GaussianNoise(0.5), key: 1, count: 64))
        #expect(try run(GaussianNoise(0.5), key: 1, count: 64) != run(GaussianNoise(0.5), key: 2, count: 64))
        #expect(try run(GaussianNoise(0.5, seed: 3), count: 64) != run(GaussianNoise(0.5, seed: 4), count: 64))
    }

    @Test func configurationGoesRound() throws {
        let layer = GaussianNoise(0.25, seed: 7, name: "noise")
        let again = try LayerRegistry.standard.layer("GaussianNoise", .object(layer.configuration))
        #expect(again.configuration == layer.configuration)
    }

    @Test func otherDeviationsAreRefused() throws {
        let error = #expect(throws: GraftError.self) { try GaussianNoise(1.5)(Input(shape: [4])) }
        #expect(
            error?.description
                == "layer gaussian_noise (GaussianNoise): GaussianNoise: stddev must be from 0 to 1, is 1.5")
    }

    /// Keras writes `training=false` at each call of a layer that acts in training alone, and overrides it in `fit`.
    @Test(arguments: [Dropout(0.5), SpatialDropout2D(0.5), GaussianNoise(0.5)] as [Layer])
    func layersThatActInTrainingAloneStayAwakeInKerassFiles(_ layer: Layer) throws {
        let x = Input(shape: [8, 8, 64])
        let model = try Model(inputs: x, outputs: layer(x))
        let node = model.serialized["config"]?["layers"]?.elements?.last?["inbound_nodes"]?.elements?.first
        #expect(node?["kwargs"] == ["training": false])
        #expect(model.serialized["config"]?["layers"]?.elements?.last?["build_config"] == nil)
        let ones = Tensor(repeating: 1, shape: [1, 8, 8, 64])
        let again = try Model.deserialize(model.serialized)
        #expect(Set(try interpret(again, [ones], training: true).outputs[0].values).count > 1)
        #expect(Set(try interpret(again, [ones]).outputs[0].values) == [1])
    }
}
