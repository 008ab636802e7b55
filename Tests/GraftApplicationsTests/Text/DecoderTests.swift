import Foundation
import GraftCPU
import GraftFormats
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftApplications

/// Two small decoders on their real weights: Llama's kind against transformers, GPT-2's against its author's own activations.
@Suite struct DecoderTests {
    private static let stories = SharedFiles.path("text/decoders/stories260K.safetensors")
    private static let isThere = stories != nil
    private static let missing: Comment = "needs ../shared/text/decoders"

    private static func file(_ name: String) throws -> String {
        URL(fileURLWithPath: try #require(Self.stories)).deletingLastPathComponent().appendingPathComponent(name).path
    }

    private struct Reference: Decodable {
        let prompt: [Float]
        let greedy: [Float]
        let continuation: [Float]
        enum CodingKeys: String, CodingKey {
            case prompt = "prompt_ids"
            case greedy = "greedy_from_bos_ids"
            case continuation = "greedy_continuation_ids"
        }
    }

    private static func reference() throws -> Reference {
        try JSONDecoder().decode(Reference.self, from: Data(contentsOf: URL(fileURLWithPath: file("reference.json"))))
    }

    private static func llama(length: Int) throws -> TextDecoder {
        var sizes = DecoderConfiguration(
            .llama, vocabularySize: 512, width: 64, layerCount: 5, headCount: 8, keyValueHeadCount: 4, innerWidth: 172,
            positionCount: 512)
        sizes.rotation = .neighbours
        var base = try TextDecoder(sizes, weights: stories)
        base.length = length
        return base
    }

    private static func sorter() throws -> TextDecoder {
        let sizes = DecoderConfiguration(
            .gpt2, vocabularySize: 3, width: 48, layerCount: 3, headCount: 3, positionCount: 11)
        return try TextDecoder(sizes, weights: file("gpt-nano-sort/gpt_nano_sort.safetensors"))
    }

    /// Texts filled up with zeros, which nothing before them sees.
    private static func ids(_ texts: [[Float]], length: Int) -> Tensor {
        let padded = texts.flatMap { $0 + [Float](repeating: 0, count: length - $0.count) }
        return Tensor(padded, shape: [texts.count, length]).stored(as: .int32)
    }

    /// Appends the likeliest token to each text, so many times.
    private static func continued(_ model: Model, _ texts: [[Float]], by count: Int, length: Int) throws -> [[Float]] {
        let lowered = try model.lower(batchSize: texts.count, training: false)
        let plan = try CPUPlan(lowered.graph)
        let values = lowered.variables.enumerated().map { (VariableID($0), $1.value) }
        try plan.bind(Dictionary(uniqueKeysWithValues: values))
        var texts = texts
        for _ in 0..<count {
            let logits = try #require(try plan.run(["input_ids": ids(texts, length: length)]).first)
            let width = logits.shape.last
            for index in texts.indices {
                let start = (index * length + texts[index].count - 1) * width
                let row = (0..<width).map { logits[start + $0] }
                let best = row.indices.max { row[$0] < row[$1] } ?? 0
                texts[index].append(Float(best))
            }
        }
        return texts
    }

    /// Both compute in 32 bits, from the same numbers, in other orders; transformers and numpy differ by 1.3e-5.
    private static let tolerance = 1e-4

    @Test(.enabled(if: isThere, missing)) func logitsOfLlamaAreTransformers() throws {
        let prompt = try Self.reference().prompt
        let model = try Self.llama(length: prompt.count).model()
        let logits = try CPUOutput.of(model, for: Self.ids([prompt], length: prompt.count))
        let expected = try SafetensorsFile(reading: Self.file("reference.safetensors")).tensor("logits")
        expectClose(logits.scalars, expected.scalars, tolerance: Float(Self.tolerance), "logits")
        // The output layer is the embedding's, which a model counts twice; rotations are constants.
        #expect(model.trainableVariables.parameterCount == 260_032 + 512 * 64)
    }

    /// The greedy text that llama2.c prints, token for token.
    @Test(.enabled(if: isThere, missing)) func greedyTextIsLlama2s() throws {
        let reference = try Self.reference()
        let length = reference.greedy.count
        let model = try Self.llama(length: length).model()
        let text = try Self.continued(model, [[reference.greedy[0]]], by: length - 1, length: length)
        #expect(text == [reference.greedy])
        let continued = try Self.continued(
            model, [reference.prompt], by: reference.continuation.count - reference.prompt.count, length: length)
        #expect(continued == [reference.continuation])
    }

    @Test(
        .enabled(if: isThere, missing),
        arguments: [
            ("embeddings", "x"), ("layer1", "block0"), ("layer3", "block2"), ("norm", "ln_f"), ("logits", "lm_head"),
        ])
    func activationsOfGPT2AreItsAuthors(layer: String, name: String) throws {
        let activations = try SafetensorsFile(reading: Self.file("gpt-nano-sort/activations.safetensors"))
        let ids = try activations.tensor("idx").stored(as: .int32)
        let model = try Self.sorter().model()
        #expect(model.countParameters() == 85_728)
        let part = try Model(inputs: model.inputs, outputs: [model.output(ofLayer: layer)])
        let expected = try activations.tensor(name)
        expectClose(try CPUOutput.of(part, for: ids), expected, tolerance: Self.tolerance, "\(layer)")
    }

    @Test(.enabled(if: isThere, missing)) func gpt2SortsAllInputs() throws {
        let inputs: [[Float]] = (0..<729).map { number in
            var rest = number
            return (0..<6).map { _ in
                defer { rest /= 3 }
                return Float(rest % 3)
            }
        }
        let texts = try Self.continued(Self.sorter().model(), inputs, by: 6, length: 11)
        let wrong = zip(texts, inputs).filter { Array($0.suffix(6)) != $1.sorted() }
        #expect(wrong.isEmpty, "\(wrong.count) of 729, such as \(wrong.first.map { "\($0)" } ?? "")")
    }

    @Test(.enabled(if: isThere, missing)) func aSavedDecoderIsTheSame() throws {
        let ids = Self.ids([[1, 403, 407]], length: 8)
        let model = try Self.llama(length: 8).model()
        let folder = GraftTestSupport.TemporaryFolder()
        try model.save(folder.path + "/llama.keras")
        let loaded = try Model.load(folder.path + "/llama.keras")
        #expect(try CPUOutput.of(loaded, for: ids) == CPUOutput.of(model, for: ids))
        #expect(loaded.trainableVariables.count == model.trainableVariables.count)
    }
}
