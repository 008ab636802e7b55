import Foundation
import Testing

@testable import GraftText

@Suite struct TokenizerTests {
    @Test(arguments: Fixture.names) func idsTypesMasksOffsetsAndDecodedTextsAreThePackages(name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        let cases = try Fixture.cases(name)
        #expect(cases.count == 160)
        for item in cases {
            let encoding = try tokenizer.encode(
                item.text, pair: item.pair, addsSpecialTokens: item.special ?? true)
            let about = Comment(rawValue: "\(name): \(item.text.debugDescription)")
            #expect(encoding.ids == item.expected.ids, about)
            #expect(encoding.typeIDs == item.expected.typeIDs, about)
            #expect(encoding.attentionMask == item.expected.mask, about)
            // The package has empty offsets wherever an inserted token would be; they say nothing.
            let offsets = encoding.offsets.map { $0.isEmpty ? [0, 0] : [$0.lowerBound, $0.upperBound] }
            #expect(offsets == item.expected.offsets, about)
            let decoded = tokenizer.decode(encoding.ids)
            #expect(Array(decoded.utf8) == Array(item.expected.decoded.utf8), about)
        }
    }

    @Test(arguments: Fixture.names) func idsAloneAreThoseOfAnEncoding(name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        let texts = try Fixture.cases(name).map(\.text)
        let encodings = try tokenizer.encode(texts)
        #expect(try tokenizer.ids(of: texts) == encodings.map(\.ids))
    }

    @Test(arguments: Fixture.names) func whatItCarriesReadsAsTheSame(name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        let again = try Tokenizer(json: tokenizer.json)
        #expect(again.fingerprint == tokenizer.fingerprint)
        let text = "It's naïve: 你好 😀"
        #expect(try again.encode(text) == tokenizer.encode(text))
    }

    /// Both are "é" to a person and to Swift's `==`, and one token and two to the package.
    @Test func textsThatAreEqualUnderNormalizationAreNot() throws {
        let json = #"""
            {"model": {"type": "BPE", "vocab": {"\u00e9": 0, "e\u0301": 1, "e": 2, "\u0301": 3}, "merges": [["e", "\u0301"]]}}
            """#
        let tokenizer = try Tokenizer(json: Array(json.utf8))
        #expect(try tokenizer.encode("\u{E9}").ids == [0])
        #expect(try tokenizer.encode("e\u{301}").ids == [1])
        #expect(tokenizer.vocabularySize == 4)
    }

    @Test func byteOffsetsNameTheTextOfEachToken() throws {
        let tokenizer = try Fixture.tokenizer("bert-uncased")
        let text = "Größe, 世界"
        let utf8 = Array(text.utf8)
        let pieces = try tokenizer.encode(text).offsets.filter { !$0.isEmpty }.map {
            String(decoding: utf8[$0], as: UTF8.self)
        }
        #expect(pieces.joined() == "Größe,世界")
    }

    @Test func severalTextsAreFilledUpToTheLongest() throws {
        var tokenizer = try Fixture.tokenizer("bert-uncased")
        tokenizer.padding = .init(multiple: 8)
        let encodings = try tokenizer.encode(["a", "the quick brown fox jumps over the lazy dog"])
        #expect(encodings[0].count == encodings[1].count && encodings[0].count % 8 == 0)
        #expect(encodings[0].attentionMask.reduce(0, +) == 3)
        #expect(encodings[0].ids[3...].allSatisfy { $0 == 0 })
    }

    @Test func truncationThatLeavesNoRoomForSpecialTokensIsAnError() throws {
        var tokenizer = try Fixture.tokenizer("bert-uncased")
        tokenizer.truncation = try .init(maximumLength: 1)
        let error = graftError { _ = try tokenizer.encode("a") }
        #expect(error?.message == "texts are cut off at 1 tokens, and the 2 special tokens around them are more")
    }
}

/// Tokenizers that people use, where their files are there.
@Suite struct SharedTokenizerTests {
    private struct Reference: Decodable {
        let sentences: [String]?
        let inputIDs: [[Int32]]?
        let encodings: [Item]?

        struct Item: Decodable {
            let text: String
            let ids: [Int32]
        }

        enum CodingKeys: String, CodingKey {
            case sentences, inputIDs = "input_ids", encodings
        }
    }

    private func reference(_ path: String) throws -> Reference {
        try JSONDecoder().decode(Reference.self, from: Data(contentsOf: URL(filePath: path)))
    }

    @Test(
        .enabled(if: SharedFiles.path("minilm/tokenizer.json") != nil, "MiniLM's tokenizer is not there"),
        arguments: ["minilm/tokenizer.json", "minilm/vocab.txt", "minilm"])
    func miniLMHasTheIDsOfTransformers(name: String) throws {
        let path = try #require(SharedFiles.path(name))
        var tokenizer = try Tokenizer(contentsOf: path)
        (tokenizer.truncation, tokenizer.padding) = (nil, nil)
        let expected = try reference(try #require(SharedFiles.path("minilm/reference.json")))
        #expect(try tokenizer.ids(of: expected.sentences ?? []) == expected.inputIDs)
    }

    @Test(.enabled(if: SharedFiles.path("decoders/tok512.json") != nil, "the small decoder's tokenizer is not there"))
    func piecesWithScoresHaveTheIDsOfLlama2c() throws {
        let tokenizer = try Tokenizer(contentsOf: try #require(SharedFiles.path("decoders/tok512.json")))
        for item in try reference(try #require(SharedFiles.path("decoders/reference.json"))).encodings ?? [] {
            let ids = try tokenizer.encode(item.text).ids
            #expect(ids == item.ids, "\(item.text.debugDescription)")
            #expect(tokenizer.decode(ids.dropFirst()) == item.text)
        }
    }

    @Test(.enabled(if: SharedFiles.path("gpt2-tokenizer/vocab.json") != nil, "GPT-2's tokenizer is not there"))
    func gpt2HasTheIDsOfThePackage() throws {
        let tokenizer = try Tokenizer(contentsOf: try #require(SharedFiles.path("gpt2-tokenizer")))
        for item in try reference(try #require(SharedFiles.path("gpt2-tokenizer/reference.json"))).encodings ?? [] {
            let ids = try tokenizer.encode(item.text).ids
            #expect(ids == item.ids, "\(item.text.debugDescription)")
            #expect(tokenizer.decode(ids, skipsSpecialTokens: false) == item.text)
        }
    }
}
