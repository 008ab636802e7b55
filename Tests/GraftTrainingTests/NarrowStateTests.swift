import GraftGraph
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Optimizer state of bfloat16, rounded by chance.
@Suite struct NarrowStateTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let make: @Sendable (OptimizerSettings) -> any Optimizer
        var testDescription: String { name }

        init(_ name: String, _ make: @escaping @Sendable (OptimizerSettings) -> any Optimizer) {
            (self.name, self.make) = (name, make)
        }
    }

    static let cases = [
        Case("momentum") { SGD(learningRate: 0.003, momentum: 0.9, settings: $0) },
        Case("Nesterov's") { SGD(learningRate: 0.003, momentum: 0.9, nesterov: true, settings: $0) },
        Case("Adagrad") { Adagrad(learningRate: 0.01, settings: $0) },
        Case("RMSprop") { RMSprop(settings: $0) },
        Case("RMSprop with momentum") { RMSprop(momentum: 0.5, settings: $0) },
        Case("Adam") { Adam(settings: $0) }, Case("AMSGrad") { Adam(amsgrad: true, settings: $0) },
        Case("AdamW") { AdamW(settings: $0) }, Case("Nadam") { Nadam(settings: $0) },
        Case("Lion") { Lion(learningRate: 1e-4, settings: $0) },
    ]

    private static let (examples, inputs, outputs, epochs) = (64, 32, 64, 12)

    /// A dense layer that learns a linear map, with noise; its weights before and after 96 steps, and the loss.
    private static func train(_ optimizer: any Optimizer) throws -> (before: Tensor, after: Tensor, loss: Double) {
        let model = try Sequential([Dense(outputs)], inputShape: [inputs], seed: 2)
        try model.compile(optimizer: optimizer, loss: .meanSquaredError)
        let before = model.weights[0]
        var random = SplitMix(seed: 6)
        let x = random.array([examples, inputs]).tensor
        let y = random.array([examples, outputs]).tensor
        let data = try ArrayDataset(inputs: x, targets: y)
        let history = try model.fit(
            data, batchSize: 8, epochs: epochs, seed: 1, options: TrainingOptions(features: .off, threads: 1))
        return (before, model.weights[0], history.values["loss"]?.last ?? .nan)
    }

    private static func norm(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }

    /// A number of the state is off by at most 2⁻⁷, 0.8 %, at each rounding, and its mean by nothing: of all 96 steps of 2,048
    /// weights together less than one such error is left, and in the direction of the path, where they average out, a
    /// twentieth of that. The loss, near where its slope is small, follows.
    @Test(arguments: cases) func weightsGoWhereTheyGoWithStateOf32Bits(_ one: Case) throws {
        let wide = try Self.train(one.make(OptimizerSettings()))
        let narrow = try Self.train(one.make(OptimizerSettings(stateType: .bfloat16)))
        #expect(narrow.before == wide.before)
        #expect(narrow.after != wide.after)
        func path(_ run: (before: Tensor, after: Tensor, loss: Double)) -> [Double] {
            zip(run.after.scalars, run.before.scalars).map { Double($0) - Double($1) }
        }
        let (far, near) = (path(wide), path(narrow))
        let along = zip(far, near).reduce(0) { $0 + $1.0 * $1.1 } / zip(far, far).reduce(0) { $0 + $1.0 * $1.1 }
        let apart = Self.norm(zip(far, near).map { $1 - $0 }) / Self.norm(far)
        #expect(abs(along - 1) < 0x1p-7 / 20)
        #expect(apart < 0x1p-7)
        #expect(abs(narrow.loss / wide.loss - 1) < 1e-3)
    }

    /// What the formula keeps is of bfloat16, what the settings add and the weights are not.
    @Test func theFormulasArraysTakeHalfTheMemory() throws {
        let model = try Sequential([Dense(5)], inputShape: [3], seed: 2)
        let settings = OptimizerSettings(
            accumulationSteps: 2, movingAverage: MovingAverage(), stateType: .bfloat16)
        try model.compile(optimizer: Adam(settings: settings), loss: .meanSquaredError)
        let data = try ArrayDataset(inputs: Tensor(zeros: [4, 3]), targets: Tensor(repeating: 1, shape: [4, 5]))
        try model.fit(data, batchSize: 2, options: TrainingOptions(features: .off, threads: 1))
        let slots = try #require(TrainingState.of(model).compilation?.slots[model.variables[0]])
        #expect(slots.map { $0?.elementType } == [.bfloat16, .bfloat16, .float32, .float32])
        #expect(slots.map { $0?.byteCount } == [30, 30, 60, 60])
        #expect(model.variables.allSatisfy { $0.value.elementType == .float32 })
    }

    @Test func roundingsFollowTheSeed() throws {
        func weights(seed: UInt64, threads: Int) throws -> [Tensor] {
            let model = try Sequential([Dense(5)], inputShape: [3], seed: 2)
            try model.compile(
                optimizer: RMSprop(settings: OptimizerSettings(stateType: .bfloat16)), loss: .meanSquaredError)
            var random = SplitMix(seed: 6)
            let data = try ArrayDataset(inputs: random.array([8, 3]).tensor, targets: random.array([8, 5]).tensor)
            try model.fit(
                data, batchSize: 8, epochs: 5, shuffle: false, seed: seed,
                options: TrainingOptions(features: .off, threads: threads))
            return model.weights
        }
        let first = try weights(seed: 1, threads: 1)
        #expect(try weights(seed: 1, threads: 2) == first)
        #expect(try weights(seed: 2, threads: 1) != first)
    }

    @Test func centeredRMSpropNeedsStateOf32Bits() {
        let optimizer = RMSprop(centered: true, settings: OptimizerSettings(stateType: .bfloat16))
        let error = #expect(throws: GraftError.self) { try optimizer.validate() }
        #expect(
            error?.message
                == "centered RMSprop takes the difference of two arrays of its state, of which bfloat16 leaves nothing but "
                + "the rounding; use the stateType float32, or RMSprop that is not centered")
    }
}
