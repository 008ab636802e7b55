import Foundation
import Testing

@testable import Graft

/// Texts of a few words, on an encoder of random weights.
@Suite struct TextClassifierTests {
    private let folder: URL
    private static let words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] + (0..<12).map { "w\($0)" }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "graft-texts-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func recipe() throws -> TextRecipe {
        var sizes = BERTConfiguration(
            vocabularySize: Self.words.count, width: 16, layerCount: 2, headCount: 2, innerWidth: 32)
        sizes.positionCount = 64
        var recipe = TextRecipe(
            try BERT(sizes), tokenizer: try Tokenizer(wordPieces: Array(Self.words.joined(separator: "\n").utf8)))
        recipe.maximumLength = 40
        return recipe
    }

    /// A table whose labels follow from the words of the texts; the lengths are mixed.
    private func texts(_ label: (Int) -> String) throws -> LabelledTexts {
        let rows = (0..<48).map { number in
            let words = (0..<(4 + number % 3 * 10)).map { "w\((number * 5 + $0 * $0) % 4 + number % 3 * 4)" }
            return "\(words.joined(separator: " ")),\(label(number % 3))"
        }
        let path = folder.appending(path: "texts.csv").path
        try ("text,label\n" + rows.joined(separator: "\n")).write(toFile: path, atomically: true, encoding: .utf8)
        return try LabelledTexts(at: path)
    }

    private var options: TrainingOptions { TrainingOptions(features: .off, threads: 1) }

    @Test func aNetworkForShortTextsGivesTheNumbersOfTheLongOne() throws {
        let texts = try texts { "c\($0)" }
        let trained = try TextClassifierTraining(on: texts, recipe(), options: options).run()
        let dataset = { (length: Int) in
            try TextDataset(TextExamples(texts: ["w1 w2", "w8 w9 w10 w3", "w5"]), trained.rule, length: length)
        }
        let whole = try trained.model.predict(dataset(40), options: options).outputs[0]
        for length in [16, 32] {
            let short = try trained.model.shortened(to: length)
            #expect(short.inputs.map(\.shape) == [[length], [length]])
            let outputs = try short.predict(dataset(length), options: options).outputs[0]
            // Sums of other lengths are rounded elsewhere: a few of the last bits of a probability.
            for (a, b) in zip(outputs.scalars, whole.scalars) { #expect(abs(a - b) < 1e-5) }
        }
    }

    @Test func classesAreLearnedAndComeBackFromAFile() throws {
        let texts = try texts { "c\($0)" }
        let trained = try TextClassifierTraining(on: texts, recipe(), options: options).run()
        let path = folder.appending(path: "model.keras").path
        try trained.save(path)
        let read = try TextClassifier(contentsOf: path, options: options)
        #expect(read.classNames == ["c0", "c1", "c2"])
        let evaluation = try read.evaluate(texts.training)
        #expect(try #require(evaluation.figures["accuracy"]) > 0.9)
        #expect(evaluation.confusion != nil && evaluation.exampleCount == 48)
        let some = Array(texts.training.texts.prefix(6))
        let (answers, again) = (try read.classify(some), try trained.classify(some))
        for (answer, other) in zip(answers, again) {
            #expect(answer.best?.name == other.best?.name)
            #expect(abs(answer.outputs.reduce(0, +) - 1) < 1e-5)
        }
        #expect(throws: GraftError.self) { try Classifier(contentsOf: path) }
    }

    @Test func severalLabelsAndNumbersAreLearned() throws {
        let labelled = try texts { ["a", "a|b", "b"][$0] }
        #expect(labelled.task == .labels)
        let labels = try TextClassifierTraining(on: labelled, recipe(), options: options).run()
        #expect(try #require(try labels.evaluate(labelled.training).figures["binary_accuracy"]) > 0.9)
        let both = try #require(labelled.training.texts.dropFirst().first)
        #expect(Set(try labels.classify(both).likely.map(\.name)) == ["a", "b"])

        let path = folder.appending(path: "texts.csv").path
        _ = try texts { "\(10 * $0 + 100)" }
        let numbers = try LabelledTexts(at: path, task: .regression)
        let regression = try TextClassifierTraining(on: numbers, recipe(), options: options).run()
        let error = try #require(try regression.evaluate(numbers.training).figures["mean_absolute_error"])
        // The mean alone would be wrong by 6.7.
        #expect(error < 3)
    }

    @Test func whatDoesNotFitIsSaid() throws {
        let texts = try texts { "c\($0)" }
        var recipe = try recipe()
        recipe.maximumLength = 65
        let long = #expect(throws: GraftError.self) { try TextClassifierTraining(on: texts, recipe) }
        #expect(long?.message == "maximumLength: 65 tokens; this base takes 4 to 64")
        let words = (Self.words + ["more"]).joined(separator: "\n")
        recipe.tokenizer = try Tokenizer(wordPieces: Array(words.utf8))
        let other = #expect(throws: GraftError.self) { try TextClassifierTraining(on: texts, recipe) }
        #expect(other?.message.hasPrefix("the tokenizer has ids up to 16 and the base 16 vectors") == true)
    }
}
