import Foundation
import GraftGraph
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftTraining

/// The precision that a user asks for.
@Suite struct PrecisionTests {
    private let root = TemporaryFolder()

    private func options(_ precision: Precision) -> TrainingOptions {
        TrainingOptions(features: .folder(root.path), threads: 1, precision: precision)
    }

    @Test func automaticTakesWhatTheProcessorHas() throws {
        #expect(try Precision.float32.resolved() == .float32)
        #expect(try Precision.automatic.resolved() == (Precision.isBFloat16Supported ? .bfloat16 : .float32))
        #expect(TrainingOptions().precision == .float32)
    }

    @Test(.disabled(if: Precision.isBFloat16Supported, "this processor has bfloat16"))
    func bfloat16IsRefusedWhereTheProcessorDoesNotHaveIt() throws {
        let error = #expect(throws: GraftError.self) { try Precision.bfloat16.resolved() }
        #expect(error?.code == .argument)
        #expect(throws: GraftError.self) {
            try frozenBaseWithHead().fit(pictures(), options: options(.bfloat16))
        }
    }

    @Test(.enabled(if: Precision.isBFloat16Supported, "this processor has no instructions for bfloat16"))
    func featuresOfEachPrecisionAreKeptApart() throws {
        let data = try pictures()
        func reused(_ precision: Precision) throws -> Int {
            try frozenBaseWithHead().fit(data, options: options(precision)).reusedFeatureCount
        }
        #expect(try reused(.float32) == 0)
        #expect(try reused(.bfloat16) == 0)
        #expect(try reused(.automatic) == data.count)
        #expect(try reused(.float32) == data.count)
    }

    /// A convolution of 27 products, each off by 2⁻⁹ twice, gives features off by some 2⁻⁹ of the largest; ten steps of a
    /// small head make no more than tenfold of it.
    @Test(.enabled(if: Precision.isBFloat16Supported, "this processor has no instructions for bfloat16"))
    func trainingAHeadStaysNearFloat32() throws {
        let data = try pictures()
        func losses(_ precision: Precision) throws -> [Double] {
            try frozenBaseWithHead().fit(data, batchSize: 13, epochs: 5, options: options(precision))["loss"]
        }
        for (narrow, wide) in try zip(losses(.bfloat16), losses(.float32)) { #expect(abs(narrow - wide) < 0.02 * wide) }
    }

    @Test(.enabled(if: Precision.isBFloat16Supported, "this processor has no instructions for bfloat16"))
    func fineTuningStaysNearFloat32AndKeepsItsVariablesIn32Bits() throws {
        let data = try pictures()
        func tuned(_ precision: Precision) throws -> (model: Model, losses: [Double]) {
            let model = try frozenBaseWithHead()
            model.unfreeze()
            try model.compile(optimizer: Adam(learningRate: 1e-3), loss: .sparseCategoricalCrossentropy)
            return (model, try model.fit(data, batchSize: 13, epochs: 8, options: options(precision))["loss"])
        }
        let (narrow, wide) = try (tuned(.bfloat16), tuned(.float32))
        for (narrow, wide) in zip(narrow.losses, wide.losses) { #expect(abs(narrow - wide) < 0.02 * wide) }
        #expect(narrow.losses[7] < narrow.losses[0])
        // A kernel that was kept in 16 bits would have zeros in the lower half of each number.
        let kernel = try #require(narrow.model.layers[1].variables.first).value
        #expect(kernel.scalars.contains { $0.bitPattern & 0xffff != 0 })
    }

    @Test(.enabled(if: Precision.isBFloat16Supported, "this processor has no instructions for bfloat16"))
    func predictionsOfOnePrecisionDoNotDisturbTheOther() throws {
        let (model, data) = try (frozenBaseWithHead(), pictures())
        let wide = try model.predict(data).outputs[0]
        let narrow = try model.predict(data, options: TrainingOptions(precision: .bfloat16)).outputs[0]
        #expect(narrow != wide)
        expectClose(narrow.scalars, wide.scalars, tolerance: 0.02, "probabilities")
        #expect(try model.predict(data).outputs[0] == wide)
        #expect(try model.predict(data, options: TrainingOptions(precision: .bfloat16)).outputs[0] == narrow)
    }
}
