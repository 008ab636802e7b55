import GraftSystem
import Testing

/// The cases follow RFC 4180, section 2.
@Suite struct CSVReaderTests {
    private func records(_ text: String) throws -> [[String]] { try records(Array(text.utf8)) }

    private func records(_ bytes: [UInt8]) throws -> [[String]] {
        var reader = CSVReader(bytes)
        var records: [[String]] = []
        while let record = try reader.next() { records.append(record) }
        return records
    }

    @Test(
        "Fields, quotes and line ends are read as the RFC has them",
        arguments: [
            ("a,b\r\nc,d\r\n", [["a", "b"], ["c", "d"]]), ("a,b\nc,d", [["a", "b"], ["c", "d"]]),
            ("a\rb\r", [["a"], ["b"]]), ("", []), ("\n\r\n\n", []), (",", [["", ""]]), ("a,,", [["a", "", ""]]),
            ("\"a,b\",\"c\"\"d\"\n", [["a,b", "c\"d"]]), ("\"two\r\nlines\",x\n", [["two\r\nlines", "x"]]),
            ("\"\"\n", [[""]]), ("\u{FEFF}path\n", [["path"]]), (" a , b \n", [[" a ", " b "]]),
            ("größe,猫", [["größe", "猫"]]),
        ] as [(String, [[String]])])
    func reads(_ text: String, _ expected: [[String]]) throws { #expect(try records(text) == expected) }

    @Test(
        "What is not of the form is an error with its line",
        arguments: [
            ("a\n\"b", "line 2: a quote is not closed"), ("a\"b\"", "line 1: a quote stands inside"),
            ("\"a\"b", "line 1: a quoted field must end"), ("\"a\nb\"\n\"c\" ", "line 3: a quoted field must end"),
        ])
    func refuses(_ text: String, _ message: String) {
        let error = #expect(throws: GraftError.self) { try records(text) }
        #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
    }

    @Test("Bytes that are no text, and more than any table needs, are refused")
    func refusesBytes() {
        #expect(throws: GraftError.self) { try records([0x61, 0xFF, 0x0A]) }
        #expect(throws: GraftError.self) { try records([UInt8](repeating: UInt8(ascii: ","), count: 5000)) }
        #expect(throws: GraftError.self) { try records([UInt8](repeating: UInt8(ascii: "a"), count: 1 << 21)) }
        #expect(throws: GraftError.self) {
            try records([UInt8(ascii: "\"")] + [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 21))
        }
    }

    @Test("A field that is written is read again", arguments: ["a", "a,b", "\"", "a\nb", "a\r", "", " x ", "\"\",\n"])
    func writes(_ text: String) throws { #expect(try records("x," + text.csvField + "\n") == [["x", text]]) }
}
