/// In training, sets whole channels to zero at random with the probability `rate`, and multiplies the others by
/// 1 / (1 − rate). Neighbours in an image tell nearly the same, so that ``Dropout`` of single numbers holds little back
/// after a convolution; without whole channels a network must learn to do without features. In inference mode, and
/// with rate 0, it does nothing.
///
/// Input and output (batch, height, width, channels); each image of a batch loses channels of its own. Each step
/// draws anew; the same run draws the same again.
///
/// Source: Tompson et al., Efficient Object Localization Using Convolutional Networks, CVPR 2015, arXiv:1411.4280;
/// keras/src/layers/regularization/spatial_dropout.py.
public final class SpatialDropout2D: RandomLayer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        SpatialDropout2D.self, SpatialDropout2D.init,
        .number("rate", \.rate, called: "the rate", .fraction), .seed, .name, fixed: [.channelsLast],
        traits: [.builtFromTheStart, .trainingOnly, .withoutTrainable])

    /// The share of channels that is dropped, from 0 to 1.
    public let rate: Double

    /// A layer that drops this share of its input's channels.
    public init(_ rate: Double, seed: Int? = nil, name: String? = nil) {
        self.rate = rate
        super.init(seed: seed, name: name)
    }

    /// The input's shape, which has height, width and channels.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let shape = try Self.only(inputShapes)
        guard shape.rank == 3 else {
            throw GraftError(
                .shape, "SpatialDropout2D takes (height, width, channels); it was given \(shape.batchDescription)")
        }
        return shape
    }

    /// A factor for each channel of each image, and a multiplication; nothing outside training.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        let shape = context.graph.shape(of: input)
        return try drop(input, factors: [shape[0], 1, 1, shape[3]], rate: rate, in: &context)
    }
}
