import GraftGraph

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Mixes the examples of a batch in pairs: `x ← λ·x + (1 − λ)·x_partner`, with λ from Beta(α, α).
///
/// Source: Zhang et al., "mixup: Beyond empirical risk minimization", arXiv:1710.09412. Keras's `MixUp` layer draws one λ a
/// batch; here each example has its own.
public struct MixUp: Codable, Hashable, Sendable {
    /// How strongly examples are mixed, more than 0 and at most 1000: λ lies near 0 or 1 for small ones, is uniform for 1,
    /// and lies near ½ for large ones. Default 0.2.
    public let alpha: Double

    /// A mix of this strength.
    ///
    /// - Throws: `GraftError` with code `argument` for an `alpha` out of its range.
    public init(alpha: Double = 0.2) throws(GraftError) {
        guard alpha > 0, alpha <= 1000 else {
            throw GraftError(.argument, "MixUp's alpha is \(alpha); it must be more than 0 and at most 1000")
        }
        self.alpha = alpha
    }

    /// Reads what `encode` wrote.
    public init(from decoder: any Decoder) throws {
        try self.init(alpha: decoder.container(keyedBy: CodingKeys.self).decode(Double.self, forKey: .alpha))
    }

    /// Who is mixed with whom, and how much. Each example's weight and the place of its partner among the others of the batch
    /// are functions of seed, epoch and the example's number.
    ///
    /// - Parameters:
    ///   - indices: the numbers of the batch's examples.
    ///   - epoch: another number mixes otherwise.
    package func mixing(of indices: [Int], seed: UInt64, epoch: Int) -> Mixing {
        var (partners, weights) = ([Int](), [Float]())
        for (row, index) in indices.enumerated() {
            var draws = MixingDraws(seed: seed, epoch: epoch, index: index)
            partners.append(draws.partner(ofRow: row, among: indices.count))
            weights.append(Float(draws.beta(alpha)))
        }
        return Mixing(partners: partners, weights: weights)
    }
}

/// Who is mixed with whom in a batch.
package struct Mixing: Hashable, Sendable {
    /// For each row of the batch the row it is mixed with; itself where it is alone.
    package let partners: [Int]
    /// For each row its own weight λ, 0…1.
    package let weights: [Float]

    /// Mixes the rows of the first axis in place: `x ← λ·x + (1 − λ)·x_partner`.
    ///
    /// - Precondition: as many rows as weights.
    package func mix(_ tensor: inout Tensor) {
        precondition(
            tensor.shape.rank > 0 && tensor.shape[0] == weights.count, "\(tensor.shape): \(weights.count) rows")
        let (before, size) = (tensor, tensor.count / max(weights.count, 1))
        before.withUnsafeBuffer { source in
            tensor = Tensor(uninitialized: before.shape) { target in
                for (row, weight) in weights.enumerated() {
                    let (own, other) = (row * size, partners[row] * size)
                    for index in 0..<size {
                        let value = weight * source[own + index] + (1 - weight) * source[other + index]
                        target.initializeElement(at: own + index, to: value)
                    }
                }
            }
        }
    }
}

/// The random numbers of one example in one epoch, as many as it takes.
struct MixingDraws {
    private let stream: RandomStream
    private var block: UInt64 = 0

    init(seed: UInt64, epoch: Int, index: Int) {
        // Epoch and example have a half each of the stream's number.
        let number = UInt64(truncatingIfNeeded: epoch) << 32 ^ UInt64(truncatingIfNeeded: index)
        stream = RandomStream(key: seed ^ 0x4D69_7855_7000_0000, stream: number)
    }

    /// Uniform between 0 and 1, neither of them among them.
    mutating func uniform() -> Double {
        let words = stream.words(block: block)
        block += 1
        return (Double((UInt64(words.0) << 32 | UInt64(words.1)) >> 11) + 0.5) * 0x1p-53
    }

    /// Another row of a batch; itself where it is alone.
    mutating func partner(ofRow row: Int, among count: Int) -> Int {
        let others = count - 1
        let step = others > 0 ? 1 + min(Int(uniform() * Double(others)), others - 1) : 0
        return (row + step) % count
    }

    /// A number of Beta(α, α): `g₁ / (g₁ + g₂)` of two of Gamma(α), by their logarithms, which small α need.
    mutating func beta(_ alpha: Double) -> Double {
        let (first, second) = (logGamma(alpha), logGamma(alpha))
        return 1 / (1 + exp(second - first))
    }

    /// The logarithm of a number of Gamma(α). Source: G. Marsaglia and W. Tsang, "A simple method for generating gamma
    /// variables", doi:10.1145/358407.358414, with their `Gamma(α) = Gamma(α + 1) · U^(1/α)` for α below 1.
    private mutating func logGamma(_ alpha: Double) -> Double {
        guard alpha >= 1 else { return logGamma(alpha + 1) + log(uniform()) / alpha }
        let d = alpha - 1.0 / 3
        let c = 1 / (9 * d).squareRoot()
        while true {
            let x = normal()
            let root = 1 + c * x
            guard root > 0 else { continue }
            let v = root * root * root
            if log(uniform()) < 0.5 * x * x + d - d * v + d * log(v) { return log(d * v) }
        }
    }

    /// A number of the normal distribution, by Box and Muller.
    private mutating func normal() -> Double { (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform()) }
}
