import Foundation
import GraftCPU
import GraftFormats
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftApplications

/// Decoders of texts with random weights in Hugging Face's files, against what transformers computed; written by
/// `Tests/Transformers/decoders.py`.
@Suite struct DecoderFileTests {
    static let names = ["gpt2", "gpt2-untied", "llama", "llama-tied"]
    /// Both compute in 32 bits, in other orders: sums of a few dozen products through two layers.
    private static let tolerance = 1e-5

    private static func folder(_ name: String) throws -> String {
        try #require(Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Fixtures/decoders")).path
    }

    @Test(arguments: names) func numbersAreTransformers(_ name: String) throws {
        let folder = try Self.folder(name)
        let reference = try SafetensorsFile(reading: folder + "/reference.safetensors")
        let ids = try reference.tensor("input_ids").stored(as: .int32)
        var base = try TextDecoder(weights: folder + "/model.safetensors")
        base.length = ids.shape[1]
        let model = try base.model()
        for (layer, array) in [
            ("embeddings", "hidden_0"), ("layer1", "hidden_1"), ("norm", "norm"), ("logits", "logits"),
        ] {
            let part = try Model(inputs: model.inputs, outputs: [model.output(ofLayer: layer)])
            let expected = try reference.tensor(array)
            expectClose(try CPUOutput.of(part, for: [ids]), expected, tolerance: Self.tolerance, "\(layer)")
        }
    }

    /// GPT-2's size, by transformers' own count, and an output layer that is not tied.
    @Test func gpt2HasItsParameters() throws {
        let sizes = DecoderConfiguration(
            .gpt2, vocabularySize: 50_257, width: 768, layerCount: 12, headCount: 12, positionCount: 1024)
        #expect(try TextDecoder(sizes).model().countParameters() == 124_439_808 + 50_257 * 768)
    }

    /// Only what came before is seen.
    @Test(arguments: names) func laterTokensChangeNothing(_ name: String) throws {
        let folder = try Self.folder(name)
        let ids = try SafetensorsFile(reading: folder + "/reference.safetensors").tensor("input_ids").scalars
        var base = try TextDecoder(weights: folder + "/model.safetensors")
        base.length = 9
        let model = try base.model()
        let text = Array(ids.prefix(9))
        let others = text.prefix(5) + text.suffix(4).map { Float((Int($0) + 7) % 41) }
        let inputs = Tensor(text + others, shape: [2, 9]).stored(as: .int32)
        let logits = try CPUOutput.of(model, for: [inputs])
        let row = 9 * logits.shape.last
        let (seen, changed) = (logits.scalars.prefix(row), logits.scalars.suffix(row))
        let count = 5 * logits.shape.last
        expectClose(Array(changed.prefix(count)), Array(seen.prefix(count)), tolerance: 1e-6, "the first five")
        #expect(seen.dropFirst(count) != changed.dropFirst(count))
    }

    @Test(arguments: [
        (#"{"model_type": "bert"}"#, "the model_type is bert; Graft reads decoders of the types gpt2 and llama"),
        (#"{"model_type": "gpt2", "n_embd": 8, "n_head": 2}"#, "vocab_size must be a whole number from 1 to"),
        (
            #"{"model_type": "gpt2", "n_embd": 8, "n_head": 3, "vocab_size": 9, "n_layer": 1, "n_positions": 4}"#,
            "the width 8 cannot be divided among 3 heads"
        ),
        (
            #"""
            {"model_type": "llama", "hidden_size": 8, "num_attention_heads": 2, "vocab_size": 9, "num_hidden_layers": 1,
             "intermediate_size": 8, "max_position_embeddings": 4, "rope_scaling": {"rope_type": "llama3"}}
            """#, "rope_type is llama3"
        ),
        (
            #"""
            {"model_type": "llama", "hidden_size": 8, "num_attention_heads": 2, "vocab_size": 9, "num_hidden_layers": 1,
             "intermediate_size": 8, "max_position_embeddings": 4, "attention_bias": true}
            """#, "attention_bias is true; Graft knows false there"
        ),
    ])
    func configurationsAreChecked(text: String, words: String) throws {
        let folder = GraftTestSupport.TemporaryFolder()
        let path = folder.path + "/config.json"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: GraftError.self) { try DecoderConfiguration(contentsOf: path) }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "nothing")")
    }

    @Test func whatDoesNotFitIsSaid() throws {
        var base = try TextDecoder(weights: Self.folder("gpt2") + "/model.safetensors")
        base.length = 17
        let long = #expect(throws: GraftError.self) { try base.model() }
        #expect(long?.message.contains("this base takes 1 to 16") == true)
        let other = try TextDecoder(base.configuration, weights: Self.folder("llama") + "/model.safetensors")
        let misfit = #expect(throws: GraftError.self) { try other.model() }
        #expect(
            misfit?.code == .weights && misfit?.message.contains("the file lacks") == true, "\(misfit?.message ?? "")")
    }
}
