/// GPT-2's visible characters for bytes: those of Latin-1 that can be seen for themselves, and U+0100 and on for the others.
///
/// Source: openai/gpt-2 `encoder.py`, `bytes_to_unicode`.
enum ByteAlphabet {
    /// The character of each byte.
    static let characters: [UInt32] = {
        var next: UInt32 = 0x100
        return (UInt32(0)...255).map { byte in
            if (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || (0xAE...0xFF).contains(byte) {
                return byte
            }
            defer { next += 1 }
            return next
        }
    }()

    private static let bytesOfCharacters: [Int16] = {
        var bytes = [Int16](repeating: -1, count: 0x200)
        for (byte, character) in characters.enumerated() { bytes[Int(character)] = Int16(byte) }
        return bytes
    }()

    /// The bytes that a token stands for; `nil` where it has another character.
    static func bytes(of token: [UInt8]) -> [UInt8]? {
        var result: [UInt8] = []
        for scalar in token.scalars {
            guard scalar < 0x200, bytesOfCharacters[Int(scalar)] >= 0 else { return nil }
            result.append(UInt8(bytesOfCharacters[Int(scalar)]))
        }
        return result
    }

    /// The token that stands for bytes.
    static func token(of bytes: some Sequence<UInt8>) -> [UInt8] {
        var token: [UInt8] = []
        for byte in bytes { token.append(scalar: characters[Int(byte)]) }
        return token
    }

    /// SentencePiece's tokens for single bytes: `<0x00>` to `<0xFF>`.
    static let fallbackTokens: [[UInt8]] = (0...255).map { byte in
        let digits = String(byte, radix: 16, uppercase: true)
        return Array("<0x\(digits.count == 1 ? "0" : "")\(digits)>".utf8)
    }

    /// The byte of such a token; digits of either case, as in the package.
    static func fallbackByte(of token: [UInt8]) -> UInt8? {
        guard token.count == 6, token.starts(with: Array("<0x".utf8)), token[5] == UInt8(ascii: ">") else { return nil }
        return UInt8(String(decoding: token[3..<5], as: UTF8.self), radix: 16)
    }
}
