import GraftTestSupport
import Testing

@testable import GraftFormats

@Suite struct JSONTests {
    static let readings: [(String, Configuration)] = [
        ("1", Configuration.int(1)), ("1.0", .double(1)), ("-0", .int(0)), ("1e-07", .double(1e-7)),
        ("-12.5E+3", .double(-12500)), ("123456789012345678901234567890", .double(1.2345678901234568e29)),
        ("true", .bool(true)), (" null ", .null), ("Infinity", .double(.infinity)), ("-Infinity", .double(-.infinity)),
        (#""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\ud800x""#, .string("a\"\\/\u{8}\u{c}\n\r\té😀\u{FFFD}x")),
        ("[]", .array([])), ("{}", .object([:])), ("[1, [2.5, null], {\"a\": false}]", [1, [2.5, nil], ["a": false]]),
        ("{\"a\": 1, \"a\": 2}", ["a": 2]), ("\u{FEFF}[1]", [1]),
    ]

    @Test(arguments: readings)
    func textIsReadAsPythonReadsIt(text: String, expected: Configuration) throws {
        #expect(try Configuration(json: text) == expected)
    }

    @Test func notANumberIsReadAndWritten() throws {
        guard case .array(let elements) = try Configuration(json: "[NaN]"), case .double(let value) = elements[0] else {
            Issue.record("no list of one number")
            return
        }
        #expect(value.isNaN)
        #expect(Configuration.array([.double(.nan), .double(-.infinity)]).jsonText() == "[NaN, -Infinity]")
    }

    @Test(arguments: [
        "", " ", "{", "[1,]", "{\"a\" 1}", "{a: 1}", "01", "+1", "1.", ".5", "1e", "tru", "\"abc", "\"\\x\"",
        "\"\\u12g4\"",
        "\"\u{1}\"", "1 2", "[1}", "--1", "1e5.5", "nan", "\"\\u+123\"",
    ])
    func whatIsNotJSONIsRefused(text: String) {
        #expect(graftError { _ = try Configuration(json: text) }?.code == .format)
    }

    @Test func invalidTextAndDeepNestingAreRefused() {
        #expect(graftError { _ = try Configuration(json: [0x22, 0xFF, 0x22]) }?.code == .format)
        let deep = String(repeating: "[", count: 100_000)
        #expect(graftError { _ = try Configuration(json: deep) }?.message.contains("at most 200 levels") == true)
    }

    @Test func theMessageNamesTheLine() {
        let message = graftError { _ = try Configuration(json: "{\n\"a\": 1,\n\"b\": oops\n}") }?.message
        #expect(message == "not valid JSON: line 3, byte 15: expected a value, found \"oops\n}\"")
    }

    @Test func valuesSurviveTheWayThroughText() throws {
        let value: Configuration = [
            "epsilon": 1e-7, "one": .double(1), "count": 1, "large": .double(1e300),
            "small": .double(.leastNonzeroMagnitude),
            "text": "\"\\\n\u{1}\u{7F}é😀", "list": [[], [:], nil, true], "third": .double(1.0 / 3),
        ]
        #expect(try Configuration(json: value.json()) == value)
        #expect(try Configuration(json: value.json(pretty: true)) == value)
        #expect(Configuration.double(1).jsonText() == "1.0")
        #expect(
            Configuration.object(["b": 1, "a": [1]]).jsonText(pretty: true)
                == "{\n  \"a\": [\n    1\n  ],\n  \"b\": 1\n}")
    }

    @Test func randomBytesNeverTrap() {
        var random = SplitMix(seed: 1)
        let alphabet = Array("{}[]\",:\\u0019.eE+-tfnNI \u{FFFD}".utf8)
        for _ in 0..<5_000 {
            let bytes = (0..<Int.random(in: 0..<40, using: &random)).map { _ in random.pick(alphabet) }
            _ = graftError { _ = try Configuration(json: bytes) }
        }
    }
}
