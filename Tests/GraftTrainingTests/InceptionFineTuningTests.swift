import Foundation
import GraftApplications
import GraftGraph
import GraftModel
import Testing

@testable import GraftTraining

/// Thirty steps of InceptionV3 on the published weights, from `mixed5`, against those that Keras did:
/// `Tests/Keras/inception_finetuning.py` writes them. Where the weights are not there, nothing is tested.
@Suite struct InceptionFineTuningTests {
    private struct Fixture: Decodable {
        struct Variable: Decodable {
            let shape: [Int]
            let largest: Float
            let samples: [Float]
        }

        let losses: [Double]
        let variables: [Variable]
    }

    /// The weights beside the package, or in the folder that `GRAFT_SHARED` names.
    private static let weights: String? = {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let shared =
            ProcessInfo.processInfo.environment["GRAFT_SHARED"]
            ?? package.deletingLastPathComponent().appendingPathComponent("shared").path
        let file = shared + "/weights/inception_v3-2015-12-05-notop.h5"
        return FileManager.default.fileExists(atPath: file) ? file : nil
    }()

    private let size = 75

    private func model() throws -> Model {
        let base = try InceptionV3(
            weights: .file(try #require(Self.weights)), includeTop: false, inputShape: [size, size, 3],
            includePreprocessing: false)
        let features = try GlobalAveragePooling2D()(base.layer(named: "mixed7").output)
        let head = Dense(1, activation: .sigmoid, name: "head")
        let model = try Model(inputs: base.input, outputs: head(features))
        let kernel = (0..<768).map { Float($0 % 17 - 8) / 128 }
        try head.variables[0].assign(Tensor(kernel, shape: [768, 1]))
        model.freeze()
        try model.unfreeze(from: "mixed5")
        model.setStatistics(.frozen)
        return model
    }

    /// The first of 24 pictures of stripes, exactly as the script draws them; every other one of class 1.
    private func pictures(_ count: Int) throws -> ArrayDataset {
        var values: [Float] = []
        values.reserveCapacity(count * size * size * 3)
        for k in 0..<count {
            for y in 0..<size {
                for x in 0..<size {
                    for channel in 0..<3 {
                        let byte = ((3 + k) * x + (5 + 2 * k) * y + 40 * k * channel) % 256
                        values.append(Float(byte) / 128 - 1)
                    }
                }
            }
        }
        return try ArrayDataset(
            inputs: Tensor(values, shape: [count, size, size, 3]),
            targets: Tensor((0..<count).map { Float($0 % 2) }, shape: [count]))
    }

    @Test(.enabled(if: weights != nil)) func thirtyStepsFromMixed5EqualKeras() throws {
        let file = try #require(Bundle.module.url(forResource: "Fixtures/inception", withExtension: "json"))
        let expected = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: file))
        let model = try model()
        let start = model.weights
        let frozen = Set(model.variables).subtracting(model.trainableVariables)
        let before = Dictionary(uniqueKeysWithValues: frozen.map { ($0, $0.value) })
        func train(_ examples: ArrayDataset, epochs: Int) throws -> [Double] {
            let losses = LossRecorder()
            try model.compile(optimizer: RMSprop(learningRate: 1e-5), loss: .binaryCrossentropy)
            try model.fit(
                examples, batchSize: 8, epochs: epochs, shuffle: false, callbacks: [losses],
                options: TrainingOptions(features: .temporary, threads: 2))
            return losses.losses
        }

        _ = try train(pictures(8), epochs: 1)
        let trained = model.trainableVariables
        try #require(trained.map(\.shape.dimensions) == expected.variables.map(\.shape))
        for (variable, wanted) in zip(trained, expected.variables) {
            let values = variable.value.scalars
            // The bound, 1e-5 of the variable's largest value; the offset of the head begins as zeros, and its one
            // change is its largest value.
            let largest = values.reduce(0) { max($0, abs($1)) }
            #expect(abs(largest - wanted.largest) <= 1e-5 * wanted.largest, "\(variable.path)")
            for (number, sample) in wanted.samples.enumerated() {
                let index = wanted.samples.count > 1 ? number * (values.count - 1) / (wanted.samples.count - 1) : 0
                #expect(abs(values[index] - sample) <= 1e-5 * wanted.largest, "\(variable.path), element \(index)")
            }
        }

        try model.setWeights(start)
        let losses = try train(pictures(24), epochs: 10)
        #expect(losses.count == expected.losses.count)
        for (step, (loss, wanted)) in zip(losses, expected.losses).enumerated() {
            // The bound.
            #expect(abs(loss - wanted) <= 1e-3 * wanted, "step \(step + 1): \(loss), expected \(wanted)")
        }
        for (variable, value) in before { #expect(variable.value == value, "\(variable.path) is frozen") }
    }
}
