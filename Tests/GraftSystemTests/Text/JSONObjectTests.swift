import Foundation
import GraftSystem
import Testing

@Suite struct JSONObjectTests {
    @Test func membersKeepTheirOrder() {
        var inner = JSONObject()
        inner.add("z", .number(0.5))
        inner.add("a", .bool(false))
        var object = JSONObject(event: "done")
        object.add("model", .string("m.keras"))
        object.add("images", .int(1399))
        object.add("classes", .object(inner))
        object.add("left_out", .strings(["a", "b"]))
        object.add("none", .null)
        #expect(
            object.line
                == #"{"event":"done","model":"m.keras","images":1399,"classes":{"z":0.5,"a":false},"#
                + #""left_out":["a","b"],"none":null}"#)
    }

    @Test(arguments: ["", "a\"b\\c", "line\nbreak\ttab\rreturn", "\u{0}\u{1}\u{1F}\u{7F}", "höhe 山 🐈", "\u{2028}", "/"])
    func anyTextComesBack(text: String) throws {
        var object = JSONObject()
        object.add(text, .string(text))
        let read = try JSONSerialization.jsonObject(with: Data(object.line.utf8)) as? [String: String]
        #expect(read == [text: text])
        #expect(!object.line.contains("\n"))
    }

    @Test(arguments: [0, -0.5, 1e-7, 1e300, .pi, Double.leastNonzeroMagnitude])
    func numbersComeBackToTheLastBit(number: Double) throws {
        var object = JSONObject()
        object.add("x", .number(number))
        let read = try JSONSerialization.jsonObject(with: Data(object.line.utf8)) as? [String: Double]
        #expect(read == ["x": number])
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity])
    func whatIsNoNumberIsNull(number: Double) {
        var object = JSONObject()
        object.add("x", .number(number))
        #expect(object.line == #"{"x":null}"#)
    }

    @Test func listsHoldObjectsAndValues() {
        var inner = JSONObject()
        inner.add("a", .int(1))
        var object = JSONObject()
        object.add("objects", .objects([inner, JSONObject()]))
        object.add("values", .values([.string("x"), .bool(true), .null, .values([.number(0.5)])]))
        #expect(object.line == #"{"objects":[{"a":1},{}],"values":["x",true,null,[0.5]]}"#)
    }
}
