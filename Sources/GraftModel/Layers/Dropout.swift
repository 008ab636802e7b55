/// In training, sets elements to zero at random with the probability `rate`, and multiplies the others by
/// 1 / (1 − rate), so that the expected sum stays. In inference mode, and with rate 0, it does nothing.
///
/// `noiseShape` makes elements go together: where it has a 1, all along that axis are dropped or none; with `[nil, 1, 1, 1]`, for
/// images, whole examples are, which is stochastic depth in front of an addition (Huang et al., arXiv:1603.09382).
///
/// Input and output have the same shape. Each step draws anew; the same run draws the same again. Two layers with the
/// same `seed` draw the same numbers.
///
/// Source: keras/src/layers/regularization/dropout.py.
public final class Dropout: RandomLayer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        Dropout.self, Dropout.init, .number("rate", \.rate, called: "the rate", .fraction), .noiseShape, .seed, .name,
        traits: [.builtFromTheStart, .trainingOnly])

    /// The share of elements that is dropped, from 0 to 1.
    public let rate: Double

    /// The axes of the random factors, the batch axis first: 1, or `nil` for the input's size; `nil` for one factor an element.
    public let noiseShape: [Int?]?

    /// A layer that drops this share of its input.
    public init(_ rate: Double, noiseShape: [Int?]? = nil, seed: Int? = nil, name: String? = nil) {
        (self.rate, self.noiseShape) = (rate, noiseShape)
        super.init(seed: seed, name: name)
    }

    /// The input's shape; a noise shape has as many axes.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let shape = try Self.only(inputShapes)
        guard let noiseShape else { return shape }
        let fits = zip(noiseShape.dropFirst(), shape.dimensions).allSatisfy { $0 == nil || $0 == 1 || $0 == $1 }
        guard noiseShape.count == shape.rank + 1, fits else {
            throw GraftError(
                .shape,
                "the noise shape \(noiseShape.configuration.brief) does not fit an input \(shape.batchDescription); each "
                    + "axis must be 1, null or the input's size")
        }
        return shape
    }

    /// A comparison of random numbers with the rate, and two multiplications; nothing outside training.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        return try drop(input, factors: factors(for: context.graph.shape(of: input)), rate: rate, in: &context)
    }

    private func factors(for input: Shape) -> Shape {
        guard let noiseShape else { return input }
        return Shape(zip(noiseShape, input.dimensions).map { $0 ?? $1 })
    }
}

extension Argument<Dropout, [Int?]?> {
    /// Nothing, or a list of sizes and nulls. A batch's size is no part of a model: that axis is 1 or null.
    fileprivate static var noiseShape: Self {
        custom(
            "noise_shape", \.noiseShape, default: .some(nil),
            Requirement { shape in
                guard let first = shape?.first, let size = first, size != 1 else { return nil }
                return "must begin with 1 or null, for the examples of a batch, begins with \(size)"
            },
            read: { (value) throws(GraftError) in
                guard !value.isNull else { return nil }
                let sizes = (value.elements ?? []).map { element in element.isNull ? Int?.none : element.integer ?? 0 }
                guard !sizes.isEmpty, sizes.allSatisfy({ $0 ?? 1 > 0 }) else {
                    throw value.isNot("a list of positive whole numbers and null, or null")
                }
                return sizes
            }, write: { shape in shape.map(\.configuration) ?? .null })
    }
}

extension [Int?] {
    /// As Keras writes it.
    fileprivate var configuration: Configuration { .array(map { $0.map { .int($0) } ?? .null }) }
}
