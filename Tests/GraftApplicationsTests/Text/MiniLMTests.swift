import Foundation
import GraftCPU
import GraftFormats
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftApplications

/// The sentence encoder MiniLM on its real weights, against what transformers computed with them.
@Suite struct MiniLMTests {
    /// Where the weights and transformers' numbers are; `nil` where they are not.
    private static let weights = SharedFiles.path("text/minilm/model.float16.safetensors")
    private static let isThere = weights != nil
    private static let missing: Comment = "needs ../shared/text/minilm"

    private struct Reference: Decodable {
        let ids: [[Float]]
        enum CodingKeys: String, CodingKey { case ids = "input_ids" }
    }

    private static func file(_ name: String) throws -> String {
        URL(fileURLWithPath: try #require(weights)).deletingLastPathComponent().appendingPathComponent(name).path
    }

    private static func ids() throws -> [[Float]] {
        try JSONDecoder().decode(Reference.self, from: Data(contentsOf: URL(fileURLWithPath: file("reference.json"))))
            .ids
    }

    private static func arrays() throws -> SafetensorsFile {
        try SafetensorsFile(reading: file("reference.safetensors"))
    }

    private static func base(length: Int) throws -> BERT {
        var base = try BERT(weights: #require(weights))
        base.length = length
        return base
    }

    /// Texts of one length: ids, then what is padding.
    private static func inputs(_ texts: [[Float]], length: Int) -> [Tensor] {
        let padded = texts.flatMap { $0 + [Float](repeating: 0, count: length - $0.count) }
        let flags = texts.flatMap { text in (0..<length).map { $0 < text.count ? Float(1) : 0 } }
        return [padded, flags].map { Tensor($0, shape: [texts.count, length]).stored(as: .int32) }
    }

    /// Both compute in 32 bits, from the same stored numbers, in other orders through 6 layers.
    private static let tolerance = 1e-4

    @Test(.enabled(if: isThere, missing)) func embeddingsOfSentencesAreTransformers() throws {
        let texts = try Self.ids()
        let length = try #require(texts.map(\.count).max())
        let base = try Self.base(length: length)
        let network = try base.model()
        #expect(network.countParameters() == 22_713_216 - (384 * 384 + 384), "all but the pooler")
        let mean = try base.features(at: "layer6", of: network)
        let model = try Model(inputs: network.inputs, outputs: UnitNormalization()(mean))
        let embeddings = try CPUOutput.of(model, for: Self.inputs(texts, length: length))
        let reference = try Self.arrays()
        expectClose(embeddings, try reference.tensor("embeddings_float16_weights"), tolerance: Self.tolerance)
        // The weights that were not rounded to 16 bits give others: the comparison tells a small change of weights.
        let original = try reference.tensor("embeddings_float32_weights")
        let largest = zip(embeddings.scalars, original.scalars).map { abs($0 - $1) }.max() ?? 0
        #expect((1e-4...4e-4).contains(largest), "\(largest); the data's notes say 2.3e-4")
    }

    @Test(.enabled(if: isThere, missing)) func poolerIsTransformers() throws {
        let texts = try Self.ids()
        let length = try #require(texts.map(\.count).max())
        var base = try Self.base(length: length)
        base.pooling = .pooler
        let network = try base.model()
        let model = try Model(inputs: network.inputs, outputs: base.features(at: base.defaultCut, of: network))
        let pooled = try CPUOutput.of(model, for: Self.inputs(texts, length: length))
        let expected = try Self.arrays().tensor("pooler_output_float16_weights")
        expectClose(pooled, expected, tolerance: Self.tolerance)
    }

    @Test(.enabled(if: isThere, missing), arguments: 0...6) func hiddenStatesAreTransformers(layer: Int) throws {
        let text = try Self.ids()[0]
        var base = try Self.base(length: text.count)
        base.pooling = .none
        let network = try base.model()
        #expect(base.cuts == ["embeddings", "layer1", "layer2", "layer3", "layer4", "layer5", "layer6"])
        let model = try Model(inputs: network.inputs, outputs: base.features(at: base.cuts[layer], of: network))
        let hidden = try CPUOutput.of(model, for: Self.inputs([text], length: text.count))
        let expected = try Self.arrays().tensor("sentence0_hidden_\(layer)_float16_weights")
        expectClose(hidden.scalars, expected.scalars, tolerance: Float(Self.tolerance), "layer \(layer)")
    }

    /// Padding changes nothing, nor do other texts beside it.
    @Test(.enabled(if: isThere, missing)) func paddingIsNotSeen() throws {
        let texts = try Array(Self.ids().prefix(2))
        func embedding(_ texts: [[Float]], length: Int) throws -> [Float] {
            let base = try Self.base(length: length)
            let network = try base.model()
            let model = try Model(inputs: network.inputs, outputs: base.features(at: "layer6", of: network))
            return Array(try CPUOutput.of(model, for: Self.inputs(texts, length: length)).scalars.prefix(384))
        }
        let alone = try embedding([texts[0]], length: texts[0].count)
        // Sums over more places, all but these zero, in another order.
        expectClose(try embedding(texts, length: 40), alone, tolerance: 1e-5, "padded")
    }
}
