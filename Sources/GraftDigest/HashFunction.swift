/// A hash of bytes that come piece by piece: however they are divided, the digest is the same.
package protocol HashFunction {
    /// Adds bytes after those that were added before.
    mutating func update(_ bytes: UnsafeRawBufferPointer)

    /// The digest of all bytes so far; more may be added afterwards.
    func finalize() -> [UInt8]
}

extension HashFunction {
    /// Adds bytes after those that were added before; those of an array, of `Data` or of a string are not copied.
    package mutating func update(_ bytes: some Sequence<UInt8>) {
        if bytes.withContiguousStorageIfAvailable({ update(UnsafeRawBufferPointer($0)) }) == nil {
            Array(bytes).withUnsafeBytes { update($0) }
        }
    }
}

extension Sequence<UInt8> {
    /// Two lower-case hexadecimal digits a byte: how digests are written.
    package var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(2 * underestimatedCount)
        for byte in self {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
