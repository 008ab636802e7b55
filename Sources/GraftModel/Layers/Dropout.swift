/// In training, sets elements to zero at random with the probability `rate`, and multiplies the others by
/// 1 / (1 − rate), so that the expected sum stays. In inference mode, and with rate 0, it does nothing.
///
/// Input and output have the same shape. With `noiseShape` elements are dropped together: `[nil, 1, 1, 1]` drops whole
/// examples of images. Each step draws anew; the same run draws the same again. Two layers with the
/// same `seed` draw the same numbers.
///
/// Source: keras/src/layers/regularization/dropout.py.
public final class Dropout: RandomLayer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        Dropout.self, Dropout.init, .number("rate", \.rate, called: "the rate", .fraction),
        .noiseShape(\.noiseShape), .seed, .name, traits: [.builtFromTheStart, .trainingOnly])

    /// The share of elements that is dropped, from 0 to 1.
    public let rate: Double
    /// The sizes of what is drawn, the batch axis counted: 1 where an axis shares its draws, `nil` for the input's size;
    /// `nil` in all for a draw of its own for each element.
    public let noiseShape: [Int?]?

    /// A layer that drops this share of its input.
    public init(_ rate: Double, noiseShape: [Int?]? = nil, seed: Int? = nil, name: String? = nil) {
        (self.rate, self.noiseShape) = (rate, noiseShape)
        super.init(seed: seed, name: name)
    }

    /// The input's shape, which the noise must fit.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        try checked(noiseShape, for: Self.only(inputShapes))
    }

    /// A comparison of random numbers with the rate, and two multiplications; nothing outside training.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        return try drop(input, factors: sizes(noiseShape, of: input, in: context), rate: rate, in: &context)
    }
}
