import GraftModel
import GraftTestSupport
import Testing

/// What several elements share of a draw, and the two other dropouts.
@Suite struct NoiseShapeTests {
    private func run(_ layer: Layer, _ shape: Shape, value: Float = 1, batch: Int = 32) throws -> [Double] {
        let x = Input(shape: shape)
        let model = try Model(inputs: x, outputs: layer(x))
        let input = Tensor(repeating: value, shape: Shape([batch] + shape.dimensions))
        return try interpret(model, [input], training: true, randomKey: 1).outputs[0].values
    }

    @Test func elementsOfAnExampleAreDroppedTogether() throws {
        let values = try run(Dropout(0.5, noiseShape: [nil, 1, 1]), [3, 4], batch: 200)
        let examples = (0..<200).map { Set(values[$0 * 12..<$0 * 12 + 12]) }
        #expect(examples.allSatisfy { $0 == [0] || $0 == [2] })
        // 200 draws of ½ have a deviation of 7; five of them are 36.
        #expect(abs(examples.filter { $0 == [0] }.count - 100) < 36)
    }

    @Test func aBatchCanShareItsDraws() throws {
        let values = try run(Dropout(0.5, noiseShape: [1, nil]), [64], batch: 3)
        #expect(Array(values[0..<64]) == Array(values[64..<128]))
        #expect(Set(values) == [0, 2])
    }

    @Test func noiseThatDoesNotFitThrows() throws {
        #expect { try Dropout(0.5, noiseShape: [nil, 2])(Input(shape: [3])) } throws: {
            ($0 as? GraftError)?.message
                == "layer dropout (Dropout): Dropout: the noise shape (None, 2) does not fit (None, 3)"
        }
        #expect { try run(Dropout(0.5, noiseShape: [5, 3]), [3], batch: 4) } throws: {
            ($0 as? GraftError)?.message.contains("the noise is for batches of 5, not of 4; use null") == true
        }
    }

    @Test func gaussianDropoutMultipliesByNormalNumbersAroundOne() throws {
        let values = try run(GaussianDropout(0.2), [100_000], value: 3, batch: 1).map { $0 / 3 }
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        // rate / (1 − rate) = ¼; five deviations of each: σ / √n and σ² · √(2 / n).
        #expect(abs(mean - 1) < 5 * 0.5 / count.squareRoot())
        #expect(abs(variance - 0.25) < 5 * 0.25 * (2 / count).squareRoot())
    }

    /// Of numbers with mean 0 and variance 1, as `selu` gives them, both stay.
    @Test func alphaDropoutKeepsMeanAndVariance() throws {
        let count = 100_000
        let input = Tensor((0..<count).map { $0.isMultiple(of: 2) ? 1 : -1 }, shape: [1, count])
        let x = Input(shape: [count])
        let model = try Model(inputs: x, outputs: AlphaDropout(0.3)(x))
        let values = try interpret(model, [input], training: true, randomKey: 1).outputs[0].values
        #expect(Set(values.map { Float($0) }).count == 3)
        let mean = values.reduce(0, +) / Double(count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
        // Deviations of about 1 / √n and 1.5 / √n; five of them.
        #expect(abs(mean) < 5 / Double(count).squareRoot())
        #expect(abs(variance - 1) < 7.5 / Double(count).squareRoot())
    }

    /// A layer between functions: what Keras's `keras.ops` objects and layers mean where an activation is asked for.
    @Test func onlyLayersWithoutVariablesCanBeActivations() throws {
        #expect(try ActivationFunction.layer(ActivationLayer(LeakyReLU(0.1))).rawValue == "LeakyReLU")
        #expect { try ActivationLayer(PReLU()) } throws: {
            ($0 as? GraftError)?.message
                == "the layer PReLU cannot be an activation, ELU, LeakyReLU, ReLU, Softmax can; put it behind"
        }
    }
}
