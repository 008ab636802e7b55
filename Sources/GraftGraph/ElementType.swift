/// What a value's elements are stored as.
///
/// Every operation computes in 32 bits at least, whatever it reads, and rounds its result once, to the type of its
/// node. Leaves, outputs and updates are always ``float32``.
public enum ElementType: String, Hashable, Sendable, CaseIterable {
    /// IEEE 754's 32-bit numbers: 24 bits of precision.
    case float32
    /// The upper half of a 32-bit number: its range of exponents with 8 bits of precision, so that nothing overflows that
    /// did not before, and a product of two of them is exact in 32 bits. Rounded to nearest, ties to even.
    case bfloat16

    /// Bytes of one element.
    public var byteCount: Int { self == .float32 ? 4 : 2 }
}

extension ElementType {
    /// The nearest number of this type, ties to even; for ``bfloat16`` after rounding to 32 bits, as machines do it.
    func rounded(_ number: Double) -> Double {
        guard self == .bfloat16 else { return number }
        let float = Float(number)
        guard float.isFinite else { return number.isFinite ? Double(float) : number }
        let bits = float.bitPattern
        return Double(Float(bitPattern: (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000))
    }
}
