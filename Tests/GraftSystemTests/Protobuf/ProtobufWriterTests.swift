import Foundation
import Testing

@testable import GraftSystem

/// The examples of protobuf.dev/programming-guides/encoding, and what they leave out.
@Suite struct ProtobufWriterTests {
    private func bytes(_ add: (inout ProtobufWriter) -> Void) -> [UInt8] {
        var message = ProtobufWriter()
        add(&message)
        return message.bytes
    }

    @Test func numbersTextsAndMessagesAreWrittenAsTheGuideShows() {
        #expect(bytes { $0.add(1, 150) } == [0x08, 0x96, 0x01])
        #expect(bytes { $0.add(2, "testing") } == [0x12, 0x07] + Array("testing".utf8))
        var inner = ProtobufWriter()
        inner.add(1, 150)
        #expect(bytes { $0.add(3, inner) } == [0x1A, 0x03, 0x08, 0x96, 0x01])
        #expect(bytes { $0.add(6, packed: [3, 270, 86942]) } == [0x32, 0x06, 0x03, 0x8E, 0x02, 0x9E, 0xA7, 0x05])
    }

    @Test func negativeNumbersAndLargeFieldsTakeMoreBytes() {
        #expect(bytes { $0.add(1, -2) } == [0x08, 0xFE] + [UInt8](repeating: 0xFF, count: 8) + [0x01])
        #expect(bytes { $0.add(20, 1) } == [0xA0, 0x01, 0x01])
        #expect(bytes { $0.add(2, 300) } == [0x10, 0xAC, 0x02])
    }

    /// Large fields are kept apart; the message is the same.
    @Test func largeFieldsStandWhereTheyWereAdded() throws {
        let large = [UInt8](repeating: 7, count: 100_000)
        var inner = ProtobufWriter()
        inner.add(1, bytes: large)
        inner.add(2, 5)
        var outer = ProtobufWriter()
        outer.add(3, 1)
        outer.add(4, inner)
        outer.add(5, 2)
        // 100,000 is 0x186A0, as a varint A0 8D 06; the inner message has 4 + 100,000 + 2 bytes: A6 8D 06.
        let expected: [UInt8] =
            [0x18, 1, 0x22, 0xA6, 0x8D, 0x06, 0x0A, 0xA0, 0x8D, 0x06] + large + [0x10, 5, 0x28, 2]
        #expect(outer.bytes == expected && outer.byteCount == expected.count)
        let path = FileManager.default.temporaryDirectory.appending(path: "message-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data().write(to: URL(filePath: path))
        try outer.write(to: path)
        #expect(FileManager.default.contents(atPath: path).map { Array($0) } == expected)
    }

    @Test func floatsAreLittleEndian() {
        #expect(bytes { $0.add(2, 1.0) } == [0x11, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F])
    }
}
