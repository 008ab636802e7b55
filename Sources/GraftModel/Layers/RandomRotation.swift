/// In training, turns each image around its middle by an angle of its own. In inference mode it does nothing.
///
/// The angles are uniform between `factor`'s amounts of a full turn; a positive one turns against the clock, as in Keras.
/// Source: keras/src/layers/preprocessing/image_preprocessing/random_rotation.py.
public final class RandomRotation: RandomGeometryLayer, @unchecked Sendable {  // constants only
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        RandomRotation.self, RandomRotation.init, .plain("factor", \.factor, default: nil, .within(-1...1)), .fillMode,
        .interpolation, .fillValue, .seed, .name, fixed: [.channelsLast], traits: [.trainingOnly])

    /// The angles, as parts of a full turn.
    public let factor: ImageFactor

    /// A layer that turns images by so much of a full turn.
    public init(
        _ factor: ImageFactor, fillMode: FillMode = .reflect, interpolation: Interpolation = .bilinear,
        fillValue: Double = 0, seed: Int? = nil, name: String? = nil
    ) {
        self.factor = factor.pair(notBelow: -.infinity)
        super.init(fillMode: fillMode, interpolation: interpolation, fillValue: fillValue, seed: seed, name: name)
    }

    override func change(_ images: ValueID, _ draws: [ValueID], in graph: inout Graph) throws(GraftError) -> ValueID {
        let shape = graph.shape(of: images)
        let turns = try factor.amounts(draws[0], in: &graph)
        let (cosine, sine) = try graph.circle(turns, within: max(abs(factor.lower), abs(factor.upper)))
        let minusSine = try graph.unary(.negate, sine)
        let (x, y) = (Float(shape[2] - 1) / 2, Float(shape[1] - 1) / 2)
        // The middle stays: cx − cx·cos + cy·sin, and cy − cx·sin − cy·cos.
        let column = try graph.sum(x, [(cosine, -x), (sine, y)])
        let row = try graph.sum(y, [(sine, -x), (cosine, -y)])
        return try read(images, at: [cosine, minusSine, column, sine, cosine, row], in: &graph)
    }
}

extension Graph {
    /// A number and multiples of values.
    fileprivate mutating func sum(_ number: Float, _ terms: [(ValueID, Float)]) throws(GraftError) -> ValueID {
        var sum = try constant(number)
        for (value, factor) in terms { sum = try binary(.add, sum, binary(.multiply, value, factor)) }
        return sum
    }

    /// Cosine and sine of parts of a full turn that are no larger than a bound.
    ///
    /// Taylor's sums of an angle below π/8, whose errors are below the rounding of 32 bits, and as many doublings as the bound
    /// needs: sin 2a = 2 sin a · cos a, cos 2a = 1 − 2 sin² a. Each at most doubles the error: 1e-6 at a full turn.
    fileprivate mutating func circle(
        _ turns: ValueID, within bound: Double
    ) throws(GraftError) -> (cosine: ValueID, sine: ValueID) {
        var (doublings, largest) = (0, bound * 2 * Double.pi)
        while largest > Double.pi / 8 { (doublings, largest) = (doublings + 1, largest / 2) }
        let scale = 2 * Double.pi / Double(1 << doublings)
        let angle = try binary(.multiply, turns, Float(scale))
        let square = try unary(.square, angle)
        var sine = try binary(.multiply, angle, series([1, -1 / 6, 1 / 120, -1 / 5040], square))
        var cosine = try series([1, -1 / 2, 1 / 24, -1 / 720, 1 / 40320], square)
        for _ in 0..<doublings {
            let doubled = try binary(.multiply, binary(.multiply, sine, cosine), 2)
            cosine = try binary(.subtract, 1, binary(.multiply, unary(.square, sine), 2))
            sine = doubled
        }
        return (cosine, sine)
    }

    /// A polynomial, the lowest power first.
    private mutating func series(_ coefficients: [Float], _ x: ValueID) throws(GraftError) -> ValueID {
        var result = try constant(coefficients[coefficients.count - 1])
        for coefficient in coefficients.dropLast().reversed() {
            result = try binary(.add, binary(.multiply, result, x), coefficient)
        }
        return result
    }
}
