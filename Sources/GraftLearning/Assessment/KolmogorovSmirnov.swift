#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Whether two groups of numbers may come from one distribution: the Kolmogorov–Smirnov test of two samples.
///
/// `D = max |F(x) − G(x)|` of the two empirical distribution functions. With `n = a·b / (a + b)` for groups of `a` and `b`, and
/// `λ = (√n + 0.12 + 0.11 / √n) D`, the chance of so large a difference is about `2 Σ (−1)^(k−1) exp(−2 k² λ²)`. Equal numbers make
/// the test say so less often than its level.
///
/// Source: M. A. Stephens, "Use of the Kolmogorov–Smirnov, Cramér–von Mises and related statistics without extensive tables",
/// Journal of the Royal Statistical Society B 32 (1970).
public struct KolmogorovSmirnov: Sendable, Hashable {
    /// The largest difference between the distribution functions, 0 to 1.
    public let difference: Double
    /// The chance of at least such a difference where both groups come from one distribution; 1 where a group is empty.
    public let probability: Double

    /// Compares two groups of finite numbers.
    public init(_ first: [Double], _ second: [Double]) {
        guard !first.isEmpty, !second.isEmpty else {
            (difference, probability) = (0, 1)
            return
        }
        let (a, b) = (first.sorted(), second.sorted())
        var (place, other, largest) = (0, 0, 0.0)
        while place < a.count, other < b.count {
            let value = min(a[place], b[other])
            while place < a.count, a[place] <= value { place += 1 }
            while other < b.count, b[other] <= value { other += 1 }
            largest = max(largest, abs(Double(place) / Double(a.count) - Double(other) / Double(b.count)))
        }
        difference = largest
        let size = (Double(a.count) * Double(b.count) / Double(a.count + b.count)).squareRoot()
        probability = Self.tail((size + 0.12 + 0.11 / size) * largest)
    }

    private static func tail(_ lambda: Double) -> Double {
        // Below this the series needs many terms, and is 1 to twelve digits.
        guard lambda > 0.2 else { return 1 }
        var (sum, sign) = (0.0, 1.0)
        for k in 1...100 {
            let term = exp(-2 * Double(k * k) * lambda * lambda)
            sum += sign * term
            sign = -sign
            if term < 1e-16 { break }
        }
        return min(max(2 * sum, 0), 1)
    }
}
