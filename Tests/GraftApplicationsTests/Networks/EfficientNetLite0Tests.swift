import Foundation
import GraftCPU
import GraftFormats
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftApplications

/// EfficientNet-Lite0 on its real weights, against what PyTorch computed with them.
@Suite struct EfficientNetLite0Tests {
    /// Where the weights and PyTorch's numbers are; `nil` where they are not.
    private static let folder = SharedFiles.path("weights/efficientnet-lite0/efficientnet_lite0.safetensors").map {
        URL(fileURLWithPath: $0).deletingLastPathComponent().path
    }
    private static let isThere = folder != nil
    private static let missing: Comment = "needs ../shared/weights/efficientnet-lite0"

    private static func weights() throws -> String { try #require(folder) + "/efficientnet_lite0.safetensors" }
    private static func reference() throws -> SafetensorsFile {
        try SafetensorsFile(reading: #require(folder) + "/reference.safetensors")
    }

    private struct Reference: Decodable {
        /// For each image the likeliest classes: number, label, probability rounded to five digits.
        let top5: [[Guess]]

        struct Guess: Decodable {
            let number: Int
            let probability: Float

            init(from decoder: any Decoder) throws {
                var row = try decoder.unkeyedContainer()
                number = try row.decode(Int.self)
                _ = try row.decode(String.self)
                probability = try row.decode(Float.self)
            }
        }
    }

    /// Both compute in 32 bits, from the same stored numbers, in other orders through 51 convolutions: the bound that
    /// all networks keep against Keras.
    private static let tolerance = 1e-4

    @Test(.enabled(if: isThere, missing)) func logitsArePyTorchs() throws {
        let model = try EfficientNetLite0(weights: .file(Self.weights()), classifierActivation: .linear)
        let reference = try Self.reference()
        let logits = try CPUOutput.of(model, for: reference.tensor("input_uint8_nhwc"))
        expectClose(logits, try reference.tensor("logits"), tolerance: Self.tolerance)
        // The weights that were not rounded to 16 bits give others: the comparison tells a small change of weights.
        let original = try reference.tensor("logits_float32_original")
        let largest = zip(logits.scalars, original.scalars).map { abs($0 - $1) }.max() ?? 0
        #expect((0.01...0.02).contains(largest), "\(largest); the data's notes say 0.019")
    }

    @Test(.enabled(if: isThere, missing)) func pooledFeaturesArePyTorchs() throws {
        let model = try EfficientNetLite0(weights: .file(Self.weights()), includeTop: false, pooling: .average)
        let reference = try Self.reference()
        let features = try CPUOutput.of(model, for: reference.tensor("input_uint8_nhwc"))
        expectClose(features, try reference.tensor("pooled_features"), tolerance: Self.tolerance)
    }

    @Test(.enabled(if: isThere, missing)) func theLikeliestClassesArePyTorchs() throws {
        let text = try Data(contentsOf: URL(fileURLWithPath: #require(Self.folder) + "/reference.json"))
        let expected = try JSONDecoder().decode(Reference.self, from: text).top5
        let model = try EfficientNetLite0(weights: .file(Self.weights()))
        let output = try CPUOutput.of(model, for: Self.reference().tensor("input_uint8_nhwc"))
        try #require(output.shape == [expected.count, 1000])
        for (image, guesses) in expected.enumerated() {
            let row = Array(output.scalars[(1000 * image)..<(1000 * image + 1000)])
            let likeliest = row.indices.sorted { row[$0] > row[$1] }.prefix(guesses.count)
            #expect(Array(likeliest) == guesses.map(\.number), "image \(image)")
            // Half of the last digit, and 1e-4 of a logit of up to 10.
            for guess in guesses {
                #expect(abs(row[guess.number] - guess.probability) < 5e-6 + 1e-3 * guess.probability)
            }
        }
    }
}
