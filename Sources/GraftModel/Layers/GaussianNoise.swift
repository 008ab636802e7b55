/// In training, adds noise with the mean 0 to each element; in inference mode, and with deviation 0, it does nothing.
///
/// Input and output have the same shape. Each step draws anew; the same run draws the same again. Two layers with the
/// same `seed` draw the same numbers.
///
/// Source: keras/src/layers/regularization/gaussian_noise.py.
public final class GaussianNoise: RandomLayer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        GaussianNoise.self, GaussianNoise.init, .number("stddev", \.standardDeviation, .fraction), .seed, .name,
        traits: [.builtFromTheStart, .trainingOnly])

    /// The noise's standard deviation, from 0 to 1.
    public let standardDeviation: Double

    /// A layer that adds noise of this standard deviation.
    public init(_ standardDeviation: Double, seed: Int? = nil, name: String? = nil) {
        self.standardDeviation = standardDeviation
        super.init(seed: seed, name: name)
    }

    /// Normal numbers, a multiplication and an addition; nothing outside training.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        guard context.training, standardDeviation > 0 else { return input }
        let normal = try context.normal(context.graph.shape(of: input), seed: seed)
        return try context.graph.binary(
            .add, input, context.graph.binary(.multiply, normal, Float(standardDeviation)))
    }
}
