/// In training, multiplies each element by a normal number of mean 1 and deviation √(rate / (1 − rate)), which has the
/// variance of ``Dropout``. In inference mode, and with rate 0, it does nothing.
///
/// Input and output have the same shape. Each step draws anew; the same run draws the same again.
///
/// Source: keras/src/layers/regularization/gaussian_dropout.py.
public final class GaussianDropout: RandomLayer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        GaussianDropout.self, GaussianDropout.init, .number("rate", \.rate, called: "the rate", .belowOne), .seed,
        .name,
        traits: [.builtFromTheStart, .trainingOnly])

    /// The share that a dropout of the same variance drops, from 0 to below 1.
    public let rate: Double

    /// A layer of the variance of this dropout.
    public init(_ rate: Double, seed: Int? = nil, name: String? = nil) {
        self.rate = rate
        super.init(seed: seed, name: name)
    }

    /// Normal numbers and two multiplications; nothing outside training.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        guard context.training, rate > 0 else { return input }
        let normal = try context.normal(context.graph.shape(of: input), seed: seed)
        let deviation = Float((rate / (1 - rate)).squareRoot())
        let factors = try context.graph.binary(.add, context.graph.binary(.multiply, normal, deviation), 1)
        return try context.graph.binary(.multiply, input, factors)
    }
}

extension Requirement<Double> {
    /// With 1 the deviation has no bound.
    fileprivate static var belowOne: Self {
        Self { $0 >= 0 && $0 < 1 ? nil : "must be from 0 to below 1, is \($0)" }
    }
}
