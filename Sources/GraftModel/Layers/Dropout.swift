/// In training, sets elements to zero at random with the probability `rate`, and multiplies the others by
/// 1 / (1 − rate), so that the expected sum stays. In inference mode, and with rate 0, it does nothing.
///
/// Input and output have the same shape. Each step draws anew; the same run draws the same again. Two layers with the
/// same `seed` draw the same numbers.
///
/// Source: keras/src/layers/regularization/dropout.py.
public final class Dropout: RandomLayer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        Dropout.self, Dropout.init, .number("rate", \.rate, called: "the rate", .fraction), .seed, .name,
        fixed: [.null("noise_shape")], traits: [.builtFromTheStart, .trainingOnly])

    /// The share of elements that is dropped, from 0 to 1.
    public let rate: Double

    /// A layer that drops this share of its input.
    public init(_ rate: Double, seed: Int? = nil, name: String? = nil) {
        self.rate = rate
        super.init(seed: seed, name: name)
    }

    /// A comparison of random numbers with the rate, and two multiplications; nothing outside training.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        return try drop(input, factors: context.graph.shape(of: input), rate: rate, in: &context)
    }
}
