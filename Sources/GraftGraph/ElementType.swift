/// What a value's elements are stored as.
///
/// Every operation computes in 32 bits at least, whatever it reads, and rounds its result once, to the type of its
/// node. Inputs, constants and outputs are always ``float32``; a variable, and what updates it, may be of another type.
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
        return number.isNaN ? number : Double(nearest(to: Float(number)))
    }

    /// The nearest number of this type, ties to even.
    func nearest(to number: Float) -> Float {
        guard self == .bfloat16 else { return number }
        let bits = number.bitPattern
        // Rounding must not turn NaN into infinity.
        guard number.isFinite else {
            return Float(bitPattern: (number.isNaN ? bits | 0x40_0000 : bits) & 0xffff_0000)
        }
        return Float(bitPattern: (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
    }
}
