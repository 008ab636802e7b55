import GraftSystem
import Testing

/// The escapes follow Unicode's general categories; the attacks are those of "Trojan Source" (CVE-2021-42574) and of ECMA-48's
/// control sequences.
@Suite struct PrintableTextTests {
    @Test(
        "Plain text, in whatever script, stays as it is",
        arguments: ["cats", "größe.jpg", "猫/犬.png", "می‌خواهم", "👩‍🔬.png", "C:\\a b.jpg", "e\u{301}", ""])
    func keepsText(_ text: String) { #expect(text.printable == text) }

    @Test(
        "What steers a terminal or hides is written out",
        arguments: [
            ("\u{1B}[2Jgone", "\\u{1b}[2Jgone"), ("a\nb\r\tc", "a\\nb\\r\\tc"), ("\u{7F}", "\\u{7f}"),
            ("\u{9B}31m", "\\u{9b}31m"), ("exe\u{202E}gpj.a", "exe\\u{202e}gpj.a"), ("a\u{2066}b", "a\\u{2066}b"),
            ("\u{200B}a\u{FEFF}", "\\u{200b}a\\u{feff}"), ("a\u{2028}b\u{2029}", "a\\u{2028}b\\u{2029}"),
            ("\u{E0041}", "\\u{e0041}"), ("\u{E000}", "\\u{e000}"), ("a\0b", "a\\u{0}b"),
        ])
    func escapes(_ text: String, _ expected: String) {
        #expect(text.printable == expected)
        #expect(text.printable.printable == expected, "escaping twice must change nothing")
    }

    @Test(
        "Bytes that are no UTF-8 are written as bytes, and the rest as text",
        arguments: [
            (Array("größe".utf8), "größe"), ([0x61, 0xFF, 0x62], "a\\xffb"), ([0xC3], "\\xc3"),
            ([0xC3, 0x41], "\\xc3A"), ([0x80, 0x41], "\\x80A"), ([0xE2, 0x82], "\\xe2\\x82"),
            // An overlong slash, a surrogate, and a number beyond Unicode.
            ([0xC0, 0xAF], "\\xc0\\xaf"), ([0xED, 0xA0, 0x80], "\\xed\\xa0\\x80"),
            ([0xF4, 0x90, 0x80, 0x80], "\\xf4\\x90\\x80\\x80"), ([0x1B, 0x5B], "\\u{1b}["),
            ([0xE2, 0x80, 0xAE, 0x0A], "\\u{202e}\\n"), ([], ""),
        ] as [([UInt8], String)])
    func escapesBytes(_ bytes: [UInt8], _ expected: String) { #expect(bytes.printable == expected) }
}
