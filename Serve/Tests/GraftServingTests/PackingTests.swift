import Foundation
import Testing

@testable import GraftServing

@Suite struct PackingTests {
    private let text = [UInt8](String(repeating: "graft ", count: 1000).utf8)

    @Test(arguments: [Packing.gzip, .deflate])
    func whatIsPackedIsUnpacked(packing: Packing) throws {
        let packed = try packing.pack(text)
        #expect(packed.count < text.count / 10)
        #expect(try packing.unpack(packed, limit: text.count) == text)
        #expect(try packing.unpack(try packing.pack([]), limit: 0).isEmpty)
    }

    /// The bytes that Python's `gzip.compress(b"graft", mtime=0)` and `zlib.compress(b"graft")` give.
    @Test func whatOthersPackedIsUnpacked() throws {
        let gzip: [UInt8] = [
            0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0x4b, 0x2f, 0x4a, 0x4c, 0x2b, 1, 0, 0x44, 0xec, 0xdc, 1, 5, 0, 0, 0,
        ]
        let zlib: [UInt8] = [0x78, 0x9c, 0x4b, 0x2f, 0x4a, 0x4c, 0x2b, 1, 0, 6, 0x33, 2, 0x15]
        #expect(try Packing.gzip.unpack(gzip, limit: 100) == [UInt8]("graft".utf8))
        #expect(try Packing.deflate.unpack(zlib, limit: 100) == [UInt8]("graft".utf8))
    }

    @Test func aFewBytesThatStandForManyAreRefused() throws {
        let bomb = try Packing.gzip.pack([UInt8](repeating: 0, count: 10_000_000))
        #expect(bomb.count < 50_000)
        let error = #expect(throws: Refusal.self) { try Packing.gzip.unpack(bomb, limit: 1_000_000) }
        #expect(error?.status == .contentTooLarge)
    }

    @Test func damageIsRefused() throws {
        let packed = try Packing.gzip.pack(text)
        for end in 0..<packed.count {
            #expect(throws: Refusal.self) { try Packing.gzip.unpack(packed[..<end], limit: text.count) }
        }
        #expect(throws: Refusal.self) { try Packing.deflate.unpack(packed, limit: text.count) }
    }

    @Test func headersAreRead() throws {
        #expect(try Packing(of: nil) == nil)
        #expect(try Packing(of: "identity") == nil)
        #expect(try Packing(of: "GZIP") == .gzip)
        #expect(throws: Refusal.self) { try Packing(of: "br") }
        #expect(Packing(accepted: "deflate, gzip") == .gzip)
        #expect(Packing(accepted: "deflate;q=0.5") == .deflate)
        #expect(Packing(accepted: "gzip;q=0, br") == nil)
        #expect(Packing(accepted: nil) == nil)
    }
}
