import GraftGraph

/// A small repeatable generator of random numbers, for tests: SplitMix64.
///
/// Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014,
/// doi:10.1145/2660193.2660195.
package struct SplitMix: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// The numbers that belong to this seed.
    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// Whether an event of this probability happens.
    package mutating func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &self) < probability }

    /// A number that 32 bits hold exactly, between −2 and 2 and not close to zero.
    package mutating func number() -> Double {
        let size = Double(Float.random(in: 0.1...2, using: &self))
        return Bool.random(using: &self) ? size : -size
    }

    /// An array of such numbers.
    package mutating func array(_ shape: Shape) -> ReferenceArray {
        ReferenceArray((0..<shape.elementCount).map { _ in number() }, shape: shape)
    }

    /// One of the elements.
    package mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &self)]
    }
}
