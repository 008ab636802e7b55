import Testing

@testable import GraftServing

/// The bodies follow RFC 7578 and RFC 2046, section 5.1.
@Suite struct MultipartTests {
    private func body(_ lines: [String]) -> [UInt8] { Array(lines.joined(separator: "\r\n").utf8) }

    @Test func partsHaveNamesFilesAndBytes() throws {
        var bytes = body([
            "--b", #"Content-Disposition: form-data; name="image"; filename="a %22b%22.jpg""#,
            "Content-Type: image/jpeg", "",
            "",
        ])
        let content: [UInt8] = [0xFF, 0xD8, 0x0D, 0x0A, 0x2D, 0x2D, 0x00]
        bytes += content + body(["", "--b", #"content-disposition: form-data; name="top""#, "", "3", "--b--", ""])
        let form = try Multipart(bytes, boundary: "b")
        #expect(form.parts.count == 2)
        #expect(form.parts[0].name == "image" && form.parts[0].filename == #"a "b".jpg"#)
        #expect(Array(form.parts[0].content) == content)
        #expect(
            form.parts[1].name == "top" && form.parts[1].filename == nil
                && Array(form.parts[1].content) == Array("3".utf8))
    }

    @Test func whatStandsBeforeTheFirstPartIsPassedOver() throws {
        let bytes = body(["preamble", "--b", #"Content-Disposition: form-data; name="x""#, "", "1", "--b--"])
        #expect(try Multipart(bytes, boundary: "b").parts.map(\.name) == ["x"])
    }

    @Test(arguments: [
        "", "--b", "--bx", "--b\r\n", "--b\r\n\r\n", "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1",
        "--b\r\nno end of headers\r\n--b--",
    ])
    func whatIsNotWholeIsRefused(text: String) {
        let error = #expect(throws: Refusal.self) { try Multipart(Array(text.utf8), boundary: "b") }
        #expect(error?.status == .badRequest)
    }

    @Test func tooManyPartsAreRefused() {
        let part = ["--b", #"Content-Disposition: form-data; name="x""#, "", "1"]
        let bytes = body((0...Multipart.mostParts).flatMap { _ in part } + ["--b--"])
        #expect(throws: Refusal.self) { try Multipart(bytes, boundary: "b") }
    }

    /// Every prefix and every changed byte is read or refused.
    @Test func damageNeverTraps() throws {
        let bytes = body(["--b", #"Content-Disposition: form-data; name="x"; filename="y""#, "", "1", "--b--", ""])
        for end in bytes.indices { _ = try? Multipart(Array(bytes[..<end]), boundary: "b") }
        for position in bytes.indices {
            var damaged = bytes
            damaged[position] = 0x0D
            _ = try? Multipart(damaged, boundary: "b")
        }
    }

    @Test func boundariesAreRead() throws {
        #expect(try Multipart.boundary(of: "multipart/form-data; boundary=abc") == "abc")
        #expect(try Multipart.boundary(of: "Multipart/Form-Data; charset=utf-8; boundary=\"a b\"") == "a b")
        #expect(try Multipart.boundary(of: "image/jpeg") == nil)
        #expect(try Multipart.boundary(of: nil) == nil)
        #expect(throws: Refusal.self) { try Multipart.boundary(of: "multipart/form-data") }
        #expect(throws: Refusal.self) {
            try Multipart.boundary(of: "multipart/form-data; boundary=" + String(repeating: "x", count: 71))
        }
    }
}
