import Foundation
import GraftTestSupport
import Testing

@testable import GraftText

@Suite struct HostileTokenizerTests {
    struct Refusal: CustomTestStringConvertible {
        let json: String
        let message: String
        var testDescription: String { String(json.prefix(60)) }
    }

    @Test(arguments: [
        Refusal(json: "", message: "not valid JSON: byte 0: expected a value, found the end"),
        Refusal(json: "[1]", message: "it has no member \"model\", as a tokenizer.json has"),
        Refusal(json: #"{"model": {"type": "BPE", "vocab": {}}}"#, message: "BPE needs a member \"merges\""),
        Refusal(
            json: #"{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}}"#,
            message: "merge 1, \"a\" and \"b\", is of or to a token that the vocabulary does not have"),
        Refusal(
            json: #"{"model": {"type": "WordPiece", "vocab": {"a": 4000000}}}"#,
            message: "the token \"a\" has the id 4000000; in a vocabulary of this size ids are from 0 to 65540"),
        Refusal(
            json: #"{"model": {"type": "WordPiece", "vocab": {"a": 0}}}"#,
            message: "the unknown token \"[UNK]\" is not in the vocabulary of WordPiece"),
        Refusal(
            json: #"{"normalizer": {"type": "Precompiled"}, "model": {}}"#,
            message:
                "the normalizer Precompiled is not known; Graft has BertNormalizer, NFC, NFD, NFKC, NFKD, Lowercase, "
                + "StripAccents, Strip, Replace, Prepend and Sequence"),
        Refusal(
            json:
                #"{"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "a+"}, "behavior": "Removed"}, "model": {}}"#,
            message: "Split has the pattern \"a+\"; Graft takes a text, {\"String\": …}, here and no regular expression"
        ),
        Refusal(
            json: #"{"model": {"type": "Unigram", "unk_id": 1, "vocab": [["a", 0]]}}"#,
            message: "the unknown token's id is 1, and Unigram has 1 pieces"),
        Refusal(
            json: #"{"model": {"type": "BPE", "dropout": 0.1, "vocab": {}, "merges": []}}"#,
            message: "BPE with a dropout of 0.1 gives other tokens each time; set it to null"),
        Refusal(
            json:
                #"{"added_tokens": [{"id": 1, "content": "a"}], "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}"#,
            message: "the added token \"a\" has the id 1, and 0 in the vocabulary"),
        Refusal(
            json: #"{"model": "\ud800"}"#,
            message: "not valid JSON: byte 17: expected the second half of a surrogate pair, found \"\"}\""),
    ]) func filesThatAreNoTokenizersAreRefusedInWords(refusal: Refusal) {
        let error = graftError { _ = try Tokenizer(json: Array(refusal.json.utf8)) }
        #expect(error?.code == .format)
        #expect(error?.message == refusal.message)
    }

    @Test func replacementsThatGrowWithoutEndAreRefused() {
        let part =
            #"{"type": "Replace", "pattern": {"String": "a"}, "content": "\#(String(repeating: "a", count: 100))"}"#
        let parts = Array(repeating: part, count: 3).joined(separator: ",")
        let json =
            #"{"normalizer": {"type": "Sequence", "normalizers": [\#(parts)]}, "model": {"type": "BPE", "vocab": {}, "merges": []}}"#
        let error = graftError { _ = try Tokenizer(json: Array(json.utf8)) }
        #expect(
            error?.message == "its normalizer may make a text more than 4096 times as long, which no tokenizer needs")
    }

    @Test func depthIsLimited() {
        let json = String(repeating: "[", count: 100_000)
        let error = graftError { _ = try Tokenizer(json: Array(json.utf8)) }
        #expect(error?.message.contains("at most 64 levels") == true)
    }

    /// Seeded damage: a tokenizer is read or refused, and what was read takes any text.
    @Test(arguments: Fixture.names) func damagedTokenizersLoadOrThrow(name: String) throws {
        let original = try Fixture.bytes("\(name).tokenizer.json")
        let texts = ["", "It's naïve: 你好 😀 [MASK]<mask>", String(repeating: "a", count: 300)]
        for seed in 0..<UInt64(60) {
            var random = SplitMix(seed: seed)
            var bytes = original
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                // Most of a file is vocabulary; its parts are what can go wrong.
                let limit = random.chance(0.5) ? bytes.count : min(bytes.count, 3000)
                let place = Int.random(in: 0..<limit, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...40, using: &random)))
                default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 20)], at: place)
                }
            }
            _ = graftError {
                let tokenizer = try Tokenizer(json: bytes)
                for text in texts {
                    let encoding = try tokenizer.encode(text, pair: texts[1])
                    _ = tokenizer.decode(encoding.ids + [-1, Int32.max])
                }
            }
        }
    }

    @Test func filesOfBeforeAreRefusedInWords() {
        let noSpecial = graftError { _ = try Tokenizer(wordPieces: Array("a\nb\n".utf8)) }
        #expect(noSpecial?.message == "the vocabulary has no [CLS], which BERT needs; it has 2 lines")
        let broken = graftError { _ = try Tokenizer(wordPieces: [0xFF]) }
        #expect(broken?.code == .format)
        let noObject = graftError { _ = try Tokenizer(bytePairs: Array("[]".utf8), merges: []) }
        #expect(noObject?.message == "vocab.json must be an object of ids, is a list of 0")
        let missing = graftError { _ = try Tokenizer(contentsOf: "/nowhere") }
        #expect(missing?.code == .file)
    }
}
