/// Stochastic rounding to bfloat16: up or down at random, so that the mean is preserved.
///
/// A number between two of bfloat16 becomes the one or the other, the nearer with the larger probability: sixteen random
/// bits are added below those that are kept, and what is below is cut off. A mean that moves by less than half a step in
/// each of many steps moves all the same, where rounding to the nearest would leave it where it is.
///
/// The bits are a function of a key, a stream and an element's position, as those of ``RandomStream``, from which the key's
/// two words come: they depend on no thread, no order and no instruction set. Positions are multiples of the golden ratio in
/// 32 bits (Weyl's sequence) from the first word on, hashed in two rounds with the second word between, of which the upper
/// half is used. Without the first multiplication elements whose distance is a power of two, such as neighbours in a column
/// of a matrix, are not independent.
///
/// Zero, infinity and NaN stay as they are; above the largest bfloat16, 3.39 · 10³⁸, is infinity.
///
/// Source of the hash: C. Wellons, "Prospecting for hash functions", nullprogram.com/blog/2018/07/31, with the multipliers
/// 21f0aaad and d35a2d97 of the same project's list of hashes of two rounds.
public struct StochasticRounding: Sendable {
    /// What is mixed into positions: before the first round, and before the second.
    package let seeds: (UInt32, UInt32)

    /// The rounding of this stream's number under this key.
    public init(key: UInt64, stream: UInt64) {
        let words = RandomStream(key: key, stream: stream).words(block: 0)
        seeds = (words.0, words.1)
    }

    /// Sixteen random bits for the element at a position, which counts modulo 2³².
    func bits(at position: Int) -> UInt32 {
        var word = UInt32(truncatingIfNeeded: position) &* 0x9e37_79b9 &+ seeds.0
        word = (word ^ word >> 16) &* 0x21f0_aaad
        word = (word ^ word >> 15 ^ seeds.1) &* 0xd35a_2d97
        return word >> 16
    }

    /// The number of bfloat16 that a number at a position becomes.
    public func rounded(_ number: Float, at position: Int) -> Float {
        let bits = number.bitPattern
        guard number.isFinite else {
            // Truncation must not turn NaN into infinity.
            return Float(bitPattern: (number.isNaN ? bits | 0x40_0000 : bits) & 0xffff_0000)
        }
        return Float(bitPattern: (bits &+ self.bits(at: position)) & 0xffff_0000)
    }
}
