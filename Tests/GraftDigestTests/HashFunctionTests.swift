import Foundation
import GraftDigest
import Testing

@Suite struct HashFunctionTests {
    /// The examples of FIPS 180-2, appendix B, and the digest of nothing.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func sha256EqualsThePublishedExamples(text: String, digest: String) {
        #expect(SHA256.hash(text.utf8).hexadecimal == digest)
    }

    /// FIPS 180-2, appendix B.3.
    @Test func sha256EqualsThePublishedExampleOfAMillionLetters() {
        let letters = repeatElement(UInt8(ascii: "a"), count: 1_000_000)
        #expect(
            SHA256.hash(letters).hexadecimal == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    /// The examples of RFC 1321, appendix A.5.
    @Test(arguments: [
        ("", "d41d8cd98f00b204e9800998ecf8427e"),
        ("a", "0cc175b9c0f1b6a831c399e269772661"),
        ("abc", "900150983cd24fb0d6963f7d28e17f72"),
        ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"),
        (String(repeating: "1234567890", count: 8), "57edf4a22be3c955ac49da2e2107b67a"),
    ])
    func md5EqualsThePublishedExamples(text: String, digest: String) throws {
        var hash = try #require(MD5())
        hash.update(text.utf8)
        #expect(hash.finalize().hexadecimal == digest)
    }

    /// Blocks have 64 bytes: pieces end before, on and behind their limits, and some are empty.
    @Test(arguments: [1, 3, 55, 56, 63, 64, 65, 128, 1000])
    func theWayBytesAreDividedDoesNotMatter(length: Int) throws {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        var pieces = (SHA256(), try #require(MD5()))
        for start in stride(from: 0, to: bytes.count, by: length) {
            let piece = bytes[start..<min(start + length, bytes.count)]
            pieces.0.update(piece)
            pieces.1.update(piece)
            pieces.0.update(EmptyCollection())
            pieces.1.update(UnsafeRawBufferPointer(start: nil, count: 0))
        }
        var whole = try #require(MD5())
        whole.update(bytes)
        #expect(pieces.0.finalize() == SHA256.hash(bytes))
        #expect(pieces.1.finalize() == whole.finalize())
    }

    /// An array, a slice, `Data`, a string's UTF-8, and a sequence that has no memory to point at.
    @Test func theKindOfSequenceDoesNotMatter() {
        let text = "Grüße, 東京"
        let digest = SHA256.hash(Array(text.utf8))
        #expect(SHA256.hash(text.utf8) == digest)
        #expect(SHA256.hash(Data(text.utf8)) == digest)
        #expect(SHA256.hash((" " + text).utf8.dropFirst()) == digest)
        #expect(SHA256.hash(text.utf8.lazy.map { $0 }) == digest)
    }

    @Test func copiesGoOnByThemselves() {
        var first = SHA256()
        first.update("a".utf8)
        var second = first
        first.update("bc".utf8)
        second.update("b".utf8)
        #expect(first.finalize() == SHA256.hash("abc".utf8))
        #expect(second.finalize() == SHA256.hash("ab".utf8))
    }

    @Test func bytesMayFollowADigest() {
        var hash = SHA256()
        hash.update("ab".utf8)
        #expect(hash.finalize() == SHA256.hash("ab".utf8))
        hash.update("c".utf8)
        #expect(hash.finalize() == SHA256.hash("abc".utf8))
        #expect(hash.finalize() == hash.finalize())
    }

    @Test func hexadecimalHasTwoDigitsAByte() {
        #expect([0, 9, 10, 15, 16, 0x9F, 0xFF].hexadecimal == "00090a0f109fff")
        #expect([UInt8]().hexadecimal == "")
    }
}
