import GraftModel
import GraftTestSupport
import Testing

@Suite struct DropoutTests {
    private func run(_ layer: Dropout, training: Bool = true, key: UInt64 = 1, count: Int = 4000) throws -> [Double] {
        let x = Input(shape: [count])
        let model = try Model(inputs: x, outputs: layer(x))
        let ones = Tensor(repeating: 1, shape: [1, count])
        return try interpret(model, [ones], training: training, randomKey: key).outputs[0].values
    }

    @Test func keepsWhatItDoesNotDropScaledUp() throws {
        let values = try run(Dropout(0.2))
        #expect(Set(values) == [0, Double(Float(1 / (1 - 0.2)))])
        // 4,000 draws with probability 0.2 have a deviation of 25; five of them are 127.
        let dropped = values.filter { $0 == 0 }.count
        #expect(abs(dropped - 800) < 127)
    }

    @Test func doesNothingOutsideTraining() throws {
        #expect(Set(try run(Dropout(0.5), training: false)) == [1])
        #expect(Set(try run(Dropout(0))) == [1])
    }

    @Test func rateOneDropsEverything() throws { #expect(Set(try run(Dropout(1))) == [0]) }

    @Test func drawsFollowTheRunsKey() throws {
        #expect(try run(Dropout(0.5), key: 1) == run(Dropout(0.5), key: 1))
        #expect(try run(Dropout(0.5), key: 1) != run(Dropout(0.5), key: 2))
        #expect(try run(Dropout(0.5, seed: 3)) == run(Dropout(0.5, seed: 3)))
        #expect(try run(Dropout(0.5, seed: 3)) != run(Dropout(0.5, seed: 4)))
    }

    @Test func layersOfOneModelDrawApart() throws {
        let x = Input(shape: [64])
        let model = try Model(inputs: x, outputs: [Dropout(0.5)(x), Dropout(0.5)(x)])
        let outputs = try interpret(model, [Tensor(repeating: 1, shape: [1, 64])], training: true).outputs
        #expect(outputs[0] != outputs[1])
    }

    @Test func callWithTrainingFalseDoesNotDrop() throws {
        let x = Input(shape: [64])
        let inner = try Sequential([Dropout(0.5)])
        let model = try Model(inputs: x, outputs: [inner(x, training: false), Dropout(0.5)(x, training: false)])
        let ones = Tensor(repeating: 1, shape: [1, 64])
        for output in try interpret(model, [ones], training: true).outputs { #expect(Set(output.values) == [1]) }
    }

    /// 600 examples of ones with 4 numbers each.
    private func runExamples(_ layer: Dropout) throws -> [[Double]] {
        let x = Input(shape: [2, 2])
        let model = try Model(inputs: x, outputs: layer(x))
        let ones = Tensor(repeating: 1, shape: [600, 2, 2])
        let values = try interpret(model, [ones], training: true, randomKey: 1).outputs[0].values
        return stride(from: 0, to: values.count, by: 4).map { Array(values[$0..<($0 + 4)]) }
    }

    @Test func aNoiseShapeDropsWholeExamples() throws {
        let examples = try runExamples(Dropout(0.2, noiseShape: [nil, 1, 1]))
        let kept = Double(Float(1 / (1 - 0.2)))
        #expect(Set(examples) == [[0, 0, 0, 0], [kept, kept, kept, kept]])
        // 600 draws with probability 0.2 have a deviation of 9.8; five of them are 49.
        #expect(abs(examples.filter { $0[0] == 0 }.count - 120) < 49)
    }

    @Test func aNoiseShapeDropsTheSameOfAllExamples() throws {
        let examples = try runExamples(Dropout(0.5, noiseShape: [1, nil, 1]))
        #expect(Set(examples).count == 1)
        #expect(examples[0][0] == examples[0][1] && examples[0][2] == examples[0][3])
    }

    @Test func aNoiseShapeThatDoesNotFitIsRefused() throws {
        let short = #expect(throws: GraftError.self) {
            try Dropout(0.5, noiseShape: [nil, 1])(Input(shape: [2, 2]))
        }
        #expect(
            short?.message == "layer dropout (Dropout): Dropout: the noise shape (None, 1) does not fit (None, 2, 2)")
    }
}
