/// What a value's elements are stored as.
///
/// Every operation computes in 32-bit floats at least, whatever it reads, and rounds its result once, to the type of its
/// node. Outputs are always ``float32``; inputs and constants may be ``int32`` too, a variable and what updates it
/// ``bfloat16``.
public enum ElementType: String, Hashable, Sendable, CaseIterable {
    /// IEEE 754's 32-bit numbers: 24 bits of precision.
    case float32
    /// The upper half of a 32-bit number: its range of exponents with 8 bits of precision, so that nothing overflows that
    /// did not before, and a product of two of them is exact in 32 bits. Rounded to nearest, ties to even.
    case bfloat16
    /// Whole numbers from −2³¹ to 2³¹ − 1: ids and positions. Other numbers are cut off towards 0, as Keras's cast does; those
    /// outside become the nearest inside, and what is not a number 0. Up to 2²⁴ they are exact as ``float32``.
    case int32

    /// Bytes of one element.
    public var byteCount: Int { self == .bfloat16 ? 2 : 4 }
}

extension ElementType {
    /// The number of this type that a number becomes; for ``bfloat16`` after rounding to 32 bits, as machines do it.
    func rounded(_ number: Double) -> Double {
        switch self {
        case .float32: number
        case .bfloat16: number.isNaN ? number : Double(nearest(to: Float(number)))
        case .int32: Double(Int32(truncating: number))
        }
    }

    /// The number of a floating-point type that is nearest, ties to even.
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

extension Int32 {
    /// A number cut off towards 0, and to the nearest that there is; 0 for what is not a number.
    package init(truncating number: some BinaryFloatingPoint) {
        if number.isNaN {
            self = 0
        } else if number <= -0x1p31 {
            self = .min
        } else {
            self = number >= 0x1p31 ? .max : Int32(number)
        }
    }
}
