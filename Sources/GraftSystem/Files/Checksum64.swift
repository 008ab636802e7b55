/// A 64-bit checksum that notices damage (it does not defend against forgery): eight lanes of multiply and shift,
/// so that checking a row costs less than reading it.
package enum Checksum64 {
    /// The checksum of some bytes.
    package static func value(of bytes: UnsafeRawBufferPointer) -> UInt64 {
        let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15
        var lanes = SIMD8<UInt64>(1, 2, 3, 4, 5, 6, 7, 8) &* multiplier
        let blockCount = bytes.count / 64
        for block in 0..<blockCount {
            lanes = (lanes ^ bytes.loadUnaligned(fromByteOffset: block * 64, as: SIMD8<UInt64>.self)) &* multiplier
            lanes ^= lanes &>> 29
        }
        var result = UInt64(bytes.count)
        for lane in 0..<8 { result = (result ^ lanes[lane]) &* multiplier }
        for byte in bytes[(blockCount * 64)...] { result = (result ^ UInt64(byte)) &* multiplier }
        return result ^ (result &>> 32)
    }
}
