import GraftCPU
import GraftFormats
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftApplications

/// SqueezeNet on its real weights, against what PyTorch computed with them.
@Suite struct SqueezeNetTests {
    private static let weights = SharedFiles.path("weights/squeezenet/squeezenet_v1.0.float16.safetensors")
    private static let reference = SharedFiles.path("weights/squeezenet/reference.safetensors")
    private static let missing: Comment = "needs ../shared/weights/squeezenet"

    @Test(.enabled(if: weights != nil && reference != nil, missing)) func scoresArePyTorchs() throws {
        let reference = try SafetensorsFile(reading: #require(Self.reference))
        let model = try SqueezeNet(weights: .file(#require(Self.weights)), classifierActivation: .linear)
        #expect(model.countParameters() - 12 == Base.squeezeNet.parameterCountWithTop)
        let scores = try CPUOutput.of(model, for: reference.tensor("input_uint8_nhwc_rgb"))
        // Both compute in 32 bits from the same stored numbers: the bound that all networks keep against Keras.
        expectClose(scores, try reference.tensor("output"), tolerance: 1e-4)
    }

    @Test(.enabled(if: weights != nil, missing)) func aFileWithTheTopServesABaseWithout() throws {
        let path = try #require(Self.weights)
        let model = try SqueezeNet(weights: .file(path), includeTop: false, inputShape: [64, 80, 3])
        #expect(try model.output.shape == [3, 4, 512])
        let wrong = #expect(throws: GraftError.self) { try SqueezeNet(weights: .file(path), classes: 7) }
        #expect(
            wrong?.message.hasSuffix(
                "conv_final.weight has the shape (1000, 512, 1, 1), this model needs (7, 512, 1, 1), conv_final.bias has the "
                    + "shape (1000,), this model needs (7,)") == true)
    }
}
