import Foundation
import GraftData
import Testing

@Suite struct InputRuleTests {
    static func rules() throws -> [InputRule] {
        [
            .image(ImageRule(height: 150, width: 140, channels: 1, resize: .antialias)),
            .tokens(try TokenRule(maximumLength: 128, paddingID: 3, vocabulary: "bert-base-uncased")),
            .image(ImageRule(height: 150, width: 140, fit: .pad)),
        ]
    }

    @Test func aRuleComesBackFromJSON() throws {
        for rule in try Self.rules() {
            let bytes = try JSONEncoder().encode(rule)
            #expect(try JSONDecoder().decode(InputRule.self, from: bytes) == rule)
            #expect(try InputRule(rule.configuration) == rule)
        }
    }

    @Test func aRuleSaysItsKind() throws {
        let rules = try Self.rules()
        #expect(
            rules[0].configuration
                == ["image": ["height": 150, "width": 140, "channels": 1, "resize": "antialias"]])
        #expect(
            rules[1].configuration
                == ["tokens": ["maximum_length": 128, "padding_id": 3, "vocabulary": "bert-base-uncased"]])
        #expect(
            rules[2].configuration
                == ["image": ["height": 150, "width": 140, "channels": 3, "resize": "keras", "fit": "pad"]])
        #expect(rules.map(\.shape) == [[150, 140, 1], [128], [150, 140, 3]])
    }

    @Test func whatALaterGraftAddsToAnImageRuleIsPassedOver() throws {
        let stored: Configuration = [
            "image": ["height": 2, "width": 3, "channels": 3, "resize": "keras", "later": [1, 2]]
        ]
        #expect(try InputRule(stored) == .image(ImageRule(height: 2, width: 3)))
    }

    @Test(
        arguments: [
            (nil, "an input rule must be an object with one member, is null"),
            ([:], "an input rule must be an object with one member, is an object"),
            (["sound": ["rate": 16000]], "the model's inputs are of the kind sound; this Graft knows image and tokens"),
            (["image": 3], "an image rule needs a member height"),
            (["image": ["height": 2, "width": "3"]], "width of an image rule must be a whole number, is \"3\""),
            (
                ["image": ["height": 2, "width": 3, "channels": 3, "resize": "cubic"]],
                "resize of an image rule must be one of keras, antialias, reduced, nearest, is \"cubic\""
            ),
            (
                ["image": ["height": 2, "width": 3, "channels": 3, "resize": "keras", "fit": 2]],
                "fit of an image rule must be one of stretch, pad, crop, is 2"
            ),
            (["tokens": ["maximum_length": 8, "padding_id": 0]], "a token rule needs a member vocabulary"),
            (
                ["tokens": ["maximum_length": 0, "padding_id": 0, "vocabulary": "a"]],
                "a text's maximum length is 0; it must be at least 1 token"
            ),
            (
                ["tokens": ["maximum_length": 8, "padding_id": 16_777_217, "vocabulary": "a"]],
                "the padding id is 16777217; it must be from 0 to 16777216"
            ),
        ] as [(Configuration, String)])
    func aDamagedRuleIsNamed(stored: Configuration, words: String) {
        let error = #expect(throws: GraftError.self) { try InputRule(stored) }
        #expect(error?.code == .format)
        #expect(error?.message.hasPrefix(words) == true, "\(error?.message ?? "")")
    }

    @Test func aTokenRuleChecksItsArguments() throws {
        let error = #expect(throws: GraftError.self) { try TokenRule(maximumLength: -1, vocabulary: "a") }
        #expect(error?.code == .argument)
        let text = Data(#"{"tokens": {"maximum_length": 4, "padding_id": -1, "vocabulary": "a"}}"#.utf8)
        #expect(throws: GraftError.self) { try JSONDecoder().decode(InputRule.self, from: text) }
    }
}
