import Foundation
import Graft
import GraftTestSupport
import Testing

/// `train`, `predict`, `evaluate`, `features` and `tokenize` with texts, and a tiny BERT of random weights.
@Suite(.serialized) struct TextCommandTests {
    private let folder: TemporaryFolder
    private var tool: GraftTool { GraftTool(folder: folder.url) }

    private static let words = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "fine", "great", "nice", "bad", "poor", "awful", "sad",
        "it", "was", "the",
        "film", "very", "##s", ".", "so",
    ]

    init() throws {
        folder = try TemporaryFolder()
        try folder.write(Data(Self.words.joined(separator: "\n").utf8), to: "base/vocab.txt")
        try folder.write(Data(Self.weights), to: "base/model.safetensors")
        let config = """
            {"model_type": "bert", "vocab_size": 21, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
             "intermediate_size": 32, "max_position_embeddings": 48, "type_vocab_size": 2, "hidden_act": "gelu"}
            """
        try folder.write(Data(config.utf8), to: "base/config.json")
        var random = SplitMix(seed: 5)
        try folder.write(Data(Self.table(60, &random).utf8), to: "reviews.csv")
        try folder.write(Data(Self.table(40, &random).utf8), to: "test.csv")
    }

    /// Reviews of some words, of which the right ones say which they are.
    private static func table(_ count: Int, _ random: inout SplitMix) -> String {
        let words = [["good", "fine", "great", "nice"], ["bad", "poor", "awful", "sad"]]
        return "text,label\n"
            + (0..<count).map { number in
                let own = (0..<3).map { _ in random.pick(words[number % 2]) }
                let text =
                    "the film was " + own.joined(separator: " very ")
                    + (number % 9 == 0 ? String(repeating: " so", count: 20) : "")
                return "\"\(text), \(number)\",\(number % 2 == 0 ? "praise" : "blame")"
            }.joined(separator: "\n")
    }

    /// Hugging Face's names of a BERT of two layers.
    private static var weights: [UInt8] {
        var random = SplitMix(seed: 1)
        var arrays: [SafetensorsBytes.Array] = []
        func add(_ name: String, _ shape: [Int], scale: Float = 0.5, around mean: Float = 0) {
            let count = shape.reduce(1, *)
            let values = (0..<count).map { _ in mean + scale * Float(random.number()) / 2 }
            arrays.append(SafetensorsBytes.Array(name, Tensor(values, shape: Shape(shape))))
        }
        func norm(_ name: String) {
            add("\(name).weight", [16], scale: 0.1, around: 1)
            add("\(name).bias", [16], scale: 0.1)
        }
        for (table, rows) in [("word", 21), ("position", 48), ("token_type", 2)] {
            add("embeddings.\(table)_embeddings.weight", [rows, 16], scale: table == "word" ? 1 : 0.1)
        }
        norm("embeddings.LayerNorm")
        for layer in 0..<2 {
            let name = "encoder.layer.\(layer)"
            for part in [
                "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
            ] {
                add("\(name).\(part).weight", [16, 16])
                add("\(name).\(part).bias", [16], scale: 0.1)
            }
            norm("\(name).attention.output.LayerNorm")
            add("\(name).intermediate.dense.weight", [32, 16])
            add("\(name).intermediate.dense.bias", [32], scale: 0.1)
            add("\(name).output.dense.weight", [16, 32])
            add("\(name).output.dense.bias", [16], scale: 0.1)
            norm("\(name).output.LayerNorm")
        }
        return SafetensorsBytes(arrays).file
    }

    private static let base = ["--base", "bert", "--weights", "base/model.safetensors"]

    private func train(_ more: [String] = []) throws -> GraftTool.Outcome {
        try tool.run(
            ["train", "reviews.csv", "--output", "model.keras", "--json", "--precision", "float32"] + Self.base + more)
    }

    private func lines(_ outcome: GraftTool.Outcome) throws -> [JSONLine] {
        try outcome.lines.map { try #require(JSONLine($0), "\($0)") }
    }

    @Test func aTableOfTextsIsLearnedSavedAskedAndMeasured() throws {
        let trained = try train()
        try #require(trained.status == 0, "\(trained.errors)")
        let done = try #require(try lines(trained).last)
        #expect(done.string("event") == "done" && done.number("texts") == 60)
        #expect(try #require(done.number("held_out")) > 0.8)
        #expect(trained.errors.contains("reviews.csv: 60 texts for training, 2 classes"))

        let evaluated = try tool.run(["evaluate", "model.keras", "test.csv", "--json"])
        try #require(evaluated.status == 0, "\(evaluated.errors)")
        let evaluation = try #require(try lines(evaluated).last)
        #expect(evaluation.string("event") == "evaluation" && evaluation.number("texts") == 40)
        #expect(try #require(evaluation.number("accuracy")) > 0.8)

        try theSameIsAnsweredHoweverItIsAsked(accuracy: try #require(evaluation.number("accuracy")))

        // The features are kept: another run finds them, and gives the same model.
        let again = try train()
        #expect(again.errors.contains("features of 60 texts found from an earlier run"), "\(again.errors)")
        #expect(try #require(try lines(again).last).number("held_out") == done.number("held_out"))
    }

    /// A table, a file with a text a line, standard input and `--text`.
    private func theSameIsAnsweredHoweverItIsAsked(accuracy: Double) throws {
        let asked = try tool.run(["predict", "model.keras", "test.csv", "--json"])
        try #require(asked.status == 0, "\(asked.errors)")
        let answers = try lines(asked)
        let classes = answers.map { $0.string("class") }
        // Every second review is one of praise.
        let right = classes.enumerated().count { $1 == ($0 % 2 == 0 ? "praise" : "blame") }
        #expect(abs(Double(right) / 40 - accuracy) < 1e-6)
        let texts = answers.compactMap { $0.string("text") }
        #expect(texts.count == 40 && texts[1].hasPrefix("the film was "))
        let file = Data(texts.joined(separator: "\n\n").utf8)
        try folder.write(file, to: "lines.txt")
        for (arguments, input) in [
            (["lines.txt"], nil), (["-"], file), (texts.flatMap { ["--text", $0] }, nil),
        ] as [([String], Data?)] {
            let other = try tool.run(["predict", "model.keras", "--json"] + arguments, input: input)
            try #require(other.status == 0, "\(other.errors)")
            #expect(try lines(other).map { $0.string("class") } == classes)
        }
    }

    @Test func aFolderOfTextFilesIsTrainedOnAndFineTuned() throws {
        for number in 0..<12 {
            let words = number % 2 == 0 ? "good fine great" : "bad poor awful"
            try folder.write(
                Data("the film was \(words) \(number)".utf8),
                to: "mails/\(number % 2 == 0 ? "praise" : "blame")/\(number).txt")
        }
        let outcome = try tool.run(
            [
                "train", "mails", "--output", "mails.keras", "--json", "--fine-tune-from", "layer2_attention",
                "--fine-tune-epochs", "2",
            ]
                + Self.base)
        try #require(outcome.status == 0, "\(outcome.errors)")
        let epochs = try lines(outcome).filter { $0.string("event") == "epoch" }
        #expect(epochs.map { $0.string("phase") } == ["fine-tuning", "fine-tuning"])
        #expect(folder.exists("mails.keras") && folder.exists("mails.history.csv"))
        #expect(try tool.run(["evaluate", "mails.keras", "mails", "--json"]).status == 0)
    }

    @Test func embeddingsAreWrittenAsAnArray() throws {
        let outcome = try tool.run([
            "features", "bert", "reviews.csv", "--weights", "base/model.safetensors", "--unit", "--output", "e.npy",
        ])
        try #require(outcome.status == 0, "\(outcome.errors)")
        let array = try NumpyFile.tensor(contentsOf: folder.url.appending(path: "e.npy").path)
        #expect(array.shape == [60, 16])
        let first = array.scalars.prefix(16).reduce(0) { $0 + $1 * $1 }
        // A length of 1 but for the rounding of 16 squares.
        #expect(abs(first - 1) < 1e-5)
    }

    @Test func theAuditNamesWhatHarms() throws {
        try folder.write(
            Data("text,label,split\nso good,a,train\nSo  good,b,test\nso so so so,b,train\n,a,train\n".utf8),
            to: "odd.csv")
        let outcome = try tool.run([
            "audit", "odd.csv", "--tokenizer", "base", "--maximum-length", "5", "--strict", "--json",
        ])
        #expect(outcome.status == 1)
        let found = try lines(outcome).filter { $0.string("event") == "finding" }
        #expect(found.map { $0.string("kind") } == ["empty", "conflict", "leak", "too_long"])
        #expect(found[1].strings("paths") == ["odd.csv:2", "odd.csv:3"])
        #expect(outcome.errors.contains("odd.csv:4: has 6 tokens, of which 5 are read"))
    }

    @Test func tokensAreShown() throws {
        let outcome = try tool.run(["tokenize", "base", "--text", "the Films", "--json"])
        try #require(outcome.status == 0, "\(outcome.errors)")
        let line = try #require(JSONLine(outcome.lines[0]))
        #expect(line.object["ids"] as? [Int] == [2, 15, 16, 18, 3])
        #expect(line.string("decoded") == "the films")
        #expect(outcome.errors.contains("[CLS] 2  the 15  film 16  ##s 18  [SEP] 3"))
    }

    @Test(arguments: [
        (
            ["train", "reviews.csv"],
            "texts need an encoder with its weights, and none is part of Graft; give them, such as --base minilm"
        ),
        (
            ["train", "reviews.csv", "--base", "inception-v3"],
            "--base: inception-v3 takes no texts; the encoders that Graft reads are bert"
        ),
        (
            ["train", "reviews.csv", "--base", "distilbert", "--weights", "base/model.safetensors"],
            "is of a bert, and distilbert was asked for"
        ),
        (
            ["train", "reviews.csv", "--base", "bert", "--weights", "base/model.safetensors", "--input-size", "64"],
            "--input-size: for images; reviews.csv holds texts"
        ),
        (
            [
                "train", "reviews.csv", "--base", "bert", "--weights", "base/model.safetensors", "--tokenizer",
                "nowhere",
            ],
            "--tokenizer: nowhere is no file"
        ),
        (
            [
                "train", "reviews.csv", "--base", "bert", "--weights", "base/model.safetensors", "--maximum-length",
                "100",
            ],
            "100 tokens; this base takes 4 to 48"
        ),
        (
            ["train", "reviews.csv", "--base", "bert", "--weights", "base/model.safetensors", "--text-column", "body"],
            "its first line names the columns text, label; expected a first line that names a column body"
        ),
    ]) func whatDoesNotFitIsSaid(arguments: [String], message: String) throws {
        let outcome = try tool.run(arguments)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }
}
