import Testing

@testable import GraftSystem

/// Bytes done by hand after protobuf.dev/programming-guides/encoding.
@Suite struct ProtobufReaderTests {
    private static func fields(_ bytes: [UInt8]) throws -> [Int] {
        var reader = ProtobufReader(bytes)
        var result: [Int] = []
        while let (field, _) = try reader.next() { result.append(field) }
        return result
    }

    @Test func whatTheWriterWritesIsRead() throws {
        var inner = ProtobufWriter()
        inner.add(2, "ab")
        var writer = ProtobufWriter()
        writer.add(1, 300)
        writer.add(2, -1)
        writer.add(3, 1.5)
        writer.add(4, packed: [1, 128, -2])
        writer.add(5, inner)
        var reader = ProtobufReader(writer.bytes)
        var texts: [String] = []
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (1, .varint(let number)), (2, .varint(let number)): texts.append("\(ProtobufReader.integer(number))")
            case (3, .fixed64(let bits)): texts.append("\(Double(bitPattern: bits))")
            case (4, _): texts.append("\(try reader.integers(value))")
            case (5, .bytes(let range)):
                var part = ProtobufReader(reader.bytes, range)
                guard case (2, .bytes(let text))? = try part.next() else { break }
                texts.append(part.text(text))
            default: texts.append("?")
            }
        }
        #expect(texts == ["300", "-1", "1.5", "[1, 128, -2]", "ab"])
    }

    @Test func floatsArePackedOrSingle() throws {
        var reader = ProtobufReader([0x0A, 4, 0, 0, 0x80, 0x3F, 0x15, 0, 0, 0, 0x40])
        let first = try #require(try reader.next())
        let second = try #require(try reader.next())
        #expect(try reader.floats(first.value) == [1] && reader.floats(second.value) == [2])
        #expect(try reader.next() == nil)
    }

    /// Cut short, longer than the bytes, of no kind, too large, of no field.
    static let damaged: [[UInt8]] = [
        [0x08], [0x08, 0x80], [0x0A, 5, 1, 2], [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
        [0x0B], [0x0C], [0x0E], [0x0F, 1], [0x00, 1], [0x09, 1, 2, 3], [0x0D, 1, 2],
        [0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02],
        [0x08] + [UInt8](repeating: 0xFF, count: 20), [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 1],
    ]

    @Test(arguments: damaged) func damagedBytesAreRefused(_ bytes: [UInt8]) {
        let error = #expect(throws: GraftError.self) { _ = try Self.fields(bytes) }
        #expect(error?.code == .format && error?.message.hasPrefix("damaged at byte") == true)
    }

    @Test func everyPrefixIsReadOrRefused() {
        var writer = ProtobufWriter()
        for field in 1...6 { writer.add(field, packed: [field, 1 << 40]) }
        let bytes = writer.bytes
        for count in bytes.indices { _ = try? Self.fields(Array(bytes[..<count])) }
    }
}
