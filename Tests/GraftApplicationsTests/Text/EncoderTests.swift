import Foundation
import GraftCPU
import GraftFormats
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftApplications

/// Encoders of texts with random weights, against what transformers computed; written by `Tests/Transformers/encoders.py`.
@Suite struct EncoderTests {
    static let names = ["bert", "bert-classifier", "bert-bfloat16", "distilbert", "roberta"]
    /// Both compute in 32 bits, in other orders: sums of a few dozen products through two layers.
    private static let tolerance = 1e-5

    private static func folder(_ name: String) throws -> String {
        try #require(Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Fixtures/encoders")).path
    }

    private struct Case {
        var base: BERT
        let reference: SafetensorsFile
        let inputs: [Tensor]

        init(_ name: String) throws {
            let folder = try EncoderTests.folder(name)
            base = try BERT(weights: folder + "/model.safetensors")
            reference = try SafetensorsFile(reading: folder + "/reference.safetensors")
            base.hasPairs = reference.arrays.contains { $0.name == "token_type_ids" }
            let file = reference
            inputs = try base.inputNames.map { try file.tensor($0).stored(as: .int32) }
            base.length = inputs[0].shape[1]
            base.pooling = .none
        }
    }

    @Test(arguments: names) func hiddenStatesAreTransformers(_ name: String) throws {
        let test = try Case(name)
        let network = try test.base.model()
        let mask = try test.reference.tensor("attention_mask").scalars
        for (number, cut) in test.base.cuts.enumerated() {
            let model = try Model(inputs: network.inputs, outputs: test.base.features(at: cut, of: network))
            let hidden = try CPUOutput.of(model, for: test.inputs)
            let width = hidden.shape.last
            // Nobody reads what stands at padding.
            let seen = hidden.scalars.enumerated().map { $1 * mask[$0 / width] }
            let expected = try test.reference.tensor("hidden_\(number)")
            expectClose(seen, expected.scalars, tolerance: Float(Self.tolerance), "\(cut)")
        }
    }

    @Test(arguments: names.filter { $0 != "distilbert" }) func poolersAreTransformers(_ name: String) throws {
        var test = try Case(name)
        test.base.pooling = .pooler
        let network = try test.base.model()
        let model = try Model(
            inputs: network.inputs, outputs: test.base.features(at: test.base.defaultCut, of: network))
        guard test.reference.arrays.contains(where: { $0.name == "pooler" }) else { return }
        expectClose(
            try CPUOutput.of(model, for: test.inputs), try test.reference.tensor("pooler"), tolerance: Self.tolerance)
    }

    @Test(arguments: names) func meanAndFirstAreThoseOfTheTokens(_ name: String) throws {
        var test = try Case(name)
        let network = try test.base.model()
        let last = try test.reference.tensor("hidden_\(test.base.configuration.layerCount)")
        let lengths = test.inputs[1].int32Scalars
        let (texts, length, width) = (last.shape[0], last.shape[1], last.shape[2])
        func expected(_ value: (Int, Int) -> Float) -> [Float] {
            (0..<texts * width).map { value($0 / width, $0 % width) }
        }
        for pooling in [TextPooling.mean, .first] {
            test.base.pooling = pooling
            let model = try Model(
                inputs: network.inputs, outputs: test.base.features(at: test.base.defaultCut, of: network))
            let pooled = try CPUOutput.of(model, for: test.inputs)
            let wanted = expected { text, channel in
                let tokens = (0..<length).map { last[(text * length + $0) * width + channel] }
                let count = Float(lengths[text * length..<(text + 1) * length].reduce(0, +))
                // Padding holds zeros there.
                return pooling == .first ? tokens[0] : tokens.reduce(0, +) / count
            }
            expectClose(pooled.scalars, wanted, tolerance: Float(Self.tolerance), "\(pooling)")
        }
    }

    /// Without the input of types all texts are of type 0.
    @Test func textsWithoutPairsAreOfTheFirstType() throws {
        var test = try Case("bert")
        let zeros = Tensor(zeros: test.inputs[0].shape).stored(as: .int32)
        let whole = try CPUOutput.of(test.base.model(), for: Array(test.inputs.prefix(2)) + [zeros])
        test.base.hasPairs = false
        expectClose(try CPUOutput.of(test.base.model(), for: Array(test.inputs.prefix(2))), whole, tolerance: 1e-6)
    }

    @Test func aSavedEncoderIsTheSame() throws {
        let test = try Case("bert")
        let network = try test.base.model()
        let folder = GraftTestSupport.TemporaryFolder()
        let path = folder.path + "/bert.keras"
        try network.save(path)
        let loaded = try Model.load(path)
        #expect(loaded.layers.map(\.name) == network.layers.map(\.name))
        #expect(try CPUOutput.of(loaded, for: test.inputs) == CPUOutput.of(network, for: test.inputs))
    }

    /// The published sizes, by transformers' own count without a pooler; no number is drawn for it.
    @Test func trueSizesHaveTheirParameters() throws {
        var sizes = BERTConfiguration(
            vocabularySize: 30_522, width: 768, layerCount: 12, headCount: 12, innerWidth: 3072)
        #expect(try BERT(sizes).model().countParameters() == 108_891_648)
        (sizes.kind, sizes.layerCount, sizes.typeCount) = (.distilbert, 6, 0)
        #expect(try BERT(sizes).model().countParameters() == 66_362_880)
        (sizes.kind, sizes.layerCount, sizes.typeCount) = (.roberta, 12, 1)
        (sizes.vocabularySize, sizes.positionCount, sizes.paddingID) = (50_265, 514, 1)
        #expect(sizes.maximumLength == 512)
        #expect(try BERT(sizes).model().countParameters() == 124_055_040)
    }

    // MARK: What is refused

    @Test func whatDoesNotFitIsSaid() throws {
        var test = try Case("bert")
        func expect(_ code: GraftError.Code, _ words: String, _ body: () throws -> Void) {
            let error = #expect(throws: GraftError.self) { try body() }
            #expect(error?.code == code && error?.message.contains(words) == true, "\(error?.message ?? "nothing")")
        }
        test.base.length = 17
        expect(.argument, "this base takes 1 to 16") { _ = try test.base.model() }
        expect(.argument, "cannot be divided among 5 heads") {
            _ = try BERT(
                BERTConfiguration(vocabularySize: 9, width: 12, layerCount: 1, headCount: 5, innerWidth: 8))
        }
        expect(.argument, "nearest: layer1") {
            test.base.length = 4; _ = try test.base.features(at: "layer3", of: test.base.model())
        }
        var distilled = try Case("distilbert")
        distilled.base.hasPairs = true
        expect(.argument, "does not tell two texts of a pair apart") { _ = try distilled.base.model() }
        // A file of another size.
        let weights = try Self.folder("bert") + "/model.safetensors"
        var larger = test.base.configuration
        larger.layerCount = 3
        expect(.weights, "lacks encoder.layer.2.attention") { _ = try BERT(larger, weights: weights).model() }
        expect(.file, "config.json beside it") {
            let folder = GraftTestSupport.TemporaryFolder()
            _ = try BERT(weights: folder.path + "/model.safetensors")
        }
    }

    @Test(arguments: [
        (#"{"model_type": "t5"}"#, "the model_type is t5; Graft reads encoders"),
        (
            #"{"model_type": "bert", "vocab_size": 9}"#,
            "hidden_size must be a whole number from 1 to 65536; it is missing"
        ),
        (
            #"{"model_type": "distilbert", "vocab_size": 9, "dim": -4}"#,
            "dim must be a whole number from 1 to 65536; it is -4"
        ),
        (
            #"""
            {"model_type": "bert", "vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
             "intermediate_size": 8, "position_embedding_type": "relative_key"}
            """#, "position_embedding_type is relative_key"
        ),
        (
            #"""
            {"model_type": "bert", "vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
             "intermediate_size": 8, "hidden_act": "quick"}
            """#, "the activation is \"quick\""
        ),
    ])
    func configurationsAreChecked(text: String, words: String) throws {
        let folder = GraftTestSupport.TemporaryFolder()
        let path = folder.path + "/config.json"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: GraftError.self) { try BERTConfiguration(contentsOf: path) }
        #expect(error?.code == .format && error?.message.contains(words) == true, "\(error?.message ?? "nothing")")
        #expect(error?.message.hasPrefix(path) == true)
    }
}
