import CZlib
import GraftGraph
import GraftInflate
import Testing

@Suite struct InflateTests {
    /// zlib's own compression.
    private func compressed(_ bytes: [UInt8]) -> [UInt8] {
        var length = compressBound(UInt(bytes.count))
        var result = [UInt8](repeating: 0, count: Int(length))
        #expect(compress(&result, &length, bytes, UInt(bytes.count)) == Z_OK)
        return Array(result.prefix(Int(length)))
    }

    private let text = [UInt8]("to be or not to be, that is the question".utf8)

    @Test func itGivesBackWhatZlibCompressed() throws {
        for bytes in [[], text, [UInt8](repeating: 7, count: 300_000)] {
            let stream = compressed(bytes)
            #expect(try Inflate.inflate(stream[...], .zlib, limit: bytes.count) == bytes)
            // The stream itself lies between two bytes of header and four of checksum.
            #expect(try Inflate.inflate(stream.dropFirst(2).dropLast(4), .none, limit: bytes.count) == bytes)
        }
    }

    @Test func damageIsAnError() throws {
        let stream = compressed(text)
        var changed = stream
        changed[10] ^= 0xFF
        for (bytes, words) in [
            (stream.dropLast(6), "compressed data ends early"), (changed[...], "compressed data"),
            ([], "compressed data ends early"),
        ] {
            let error = #expect(throws: GraftError.self) { try Inflate.inflate(bytes, .zlib, limit: 100) }
            #expect(error?.code == .format)
            #expect(error?.message.hasPrefix(words) == true, "\(error?.message ?? "")")
        }
    }

    /// A hundred megabytes of zeros in a hundred kilobytes are not made.
    @Test func whatStandsForMoreThanTheLimitIsRefused() throws {
        let bomb = compressed([UInt8](repeating: 0, count: 100_000_000))
        let error = #expect(throws: GraftError.self) { try Inflate.inflate(bomb[...], .zlib, limit: 1 << 20) }
        #expect(error?.message == "compressed data stands for more than the 1048576 bytes that are allowed for it")
    }
}
