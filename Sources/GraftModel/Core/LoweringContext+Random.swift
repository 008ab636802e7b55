extension LoweringContext {
    /// Streams with this bit belong to layers with a seed, the others are counted.
    private static let seededStreams: UInt64 = 1 << 63

    /// Uniform random numbers in [0, 1).
    ///
    /// - Parameter seed: Chooses the numbers; `nil` gives each call numbers of its own.
    mutating func uniform(_ shape: Shape, seed: Int?) throws(GraftError) -> ValueID {
        let stream = seed.map { Self.seededStreams | UInt64(bitPattern: Int64($0)) } ?? nextRandomStream()
        return try graph.randomUniform(stream: stream, shape)
    }

    /// Normal random numbers with mean 0 and deviation 1: √2 · erf⁻¹(x) of x uniform in (−1, 1).
    ///
    /// - Parameter seed: Chooses the numbers; `nil` gives each call numbers of its own.
    ///
    /// The largest is 5.3 in size, as there are 2²⁴ different uniform numbers. erf⁻¹ is exact to about 4e-7 of its value.
    ///
    /// Source: M. Giles, "Approximating the erfinv function", GPU Computing Gems 2, 2011, table 5.
    mutating func normal(_ shape: Shape, seed: Int?) throws(GraftError) -> ValueID {
        // The middles of 2²⁴ equal parts of (−1, 1): never an end, where erf⁻¹ has no value.
        let doubled = try graph.binary(.multiply, uniform(shape, seed: seed), 2)
        let x = try graph.binary(.subtract, doubled, 1 - 0x1p-24)
        let product = try graph.binary(.multiply, graph.binary(.add, x, 1), graph.binary(.subtract, 1, x))
        let w = try graph.unary(.negate, graph.unary(.logarithm, product))
        let near = try polynomial(Self.near, graph.binary(.subtract, graph.binary(.minimum, w, 5), 2.5))
        let root = try graph.unary(.squareRoot, graph.binary(.maximum, w, 5))
        let far = try polynomial(Self.far, graph.binary(.subtract, root, 3))
        let isFar = try graph.binary(.greaterOrEqual, w, 5)
        let factor = try graph.select(isFar, far, near)
        return try graph.binary(.multiply, graph.binary(.multiply, x, factor), Float(2.0.squareRoot()))
    }

    /// erf⁻¹(x) / x for w = −ln(1 − x²) below 5, as a polynomial of w − 2.5; the highest power first.
    private static let near: [Float] = [
        2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503,
        -0.00417768164, 0.246640727, 1.50140941,
    ]

    /// The same from 5 on, as a polynomial of √w − 3.
    private static let far: [Float] = [
        -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
        1.00167406, 2.83297682,
    ]

    private mutating func polynomial(_ coefficients: [Float], _ x: ValueID) throws(GraftError) -> ValueID {
        var result = try graph.constant(coefficients[0])
        for coefficient in coefficients.dropFirst() {
            result = try graph.binary(.add, graph.binary(.multiply, result, x), coefficient)
        }
        return result
    }
}
