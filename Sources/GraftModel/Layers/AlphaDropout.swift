/// In training, sets elements to `selu`'s lowest value at random with the probability `rate`, and scales and shifts all so
/// that mean and variance stay. In inference mode, and with rate 0, it does nothing.
///
/// `y = a · (x where it is kept, α elsewhere) + b` with α = −1.0507 · 1.6733, a = ((1 − rate) · (1 + rate · α²))^−½ and
/// b = −a · α · rate. Input and output have the same shape; `noiseShape` as in ``Dropout``.
///
/// Source: Klambauer et al., Self-Normalizing Neural Networks, arXiv:1706.02515;
/// keras/src/layers/regularization/alpha_dropout.py.
public final class AlphaDropout: RandomLayer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        AlphaDropout.self, AlphaDropout.init, .number("rate", \.rate, called: "the rate", .fraction),
        .noiseShape(\.noiseShape), .seed, .name, traits: [.builtFromTheStart, .trainingOnly])

    /// The share of elements that is dropped, from 0 to 1.
    public let rate: Double
    /// The sizes of what is drawn: see ``Dropout/noiseShape``.
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

    /// A choice by random numbers, a multiplication and an addition; nothing outside training.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        guard context.training, rate > 0 else { return input }
        let shape = try sizes(noiseShape, of: input, in: context)
        let lowest = -ActivationFunction.seluAlpha * ActivationFunction.seluScale
        let isKept = try context.graph.binary(.greaterOrEqual, context.uniform(shape, seed: seed), Float(rate))
        let chosen = try context.graph.select(isKept, input, context.graph.constant(Float(lowest)))
        // All dropped: Keras divides by 0 there.
        guard rate < 1 else { return try context.graph.binary(.multiply, chosen, 0) }
        let factor = 1 / ((1 - rate) * (1 + rate * lowest * lowest)).squareRoot()
        let scaled = try context.graph.binary(.multiply, chosen, Float(factor))
        return try context.graph.binary(.add, scaled, Float(-factor * lowest * rate))
    }
}
