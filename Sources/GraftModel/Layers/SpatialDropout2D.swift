/// In training, sets whole channels to zero at random with the probability `rate`, and multiplies the others by
/// 1 / (1 − rate). Neighbours in a picture tell nearly the same, so that ``Dropout`` of single numbers holds little back
/// behind a convolution; without whole channels a network must learn to do without features. In inference mode, and
/// with rate 0, it does nothing.
///
/// Input and output (batch, height, width, channels); each picture of a batch loses channels of its own. Each step
/// draws anew; the same run draws the same again.
///
/// Source: Tompson et al., Efficient Object Localization Using Convolutional Networks, CVPR 2015, arXiv:1411.4280;
/// keras/src/layers/regularization/spatial_dropout.py.
public final class SpatialDropout2D: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    /// Keras's name.
    public override class var className: String { "SpatialDropout2D" }
    /// The share of channels that is dropped, from 0 to 1.
    public let rate: Double
    /// Chooses the random numbers; `nil` gives each layer of a model its own.
    public let seed: Int?

    /// A layer that drops this share of its input's channels.
    public init(_ rate: Double, seed: Int? = nil, name: String? = nil) {
        (self.rate, self.seed) = (rate, seed)
        super.init(name: name)
    }

    /// The rate is from 0 to 1.
    public override func checkArguments() throws(GraftError) { try Dropout.check(rate, of: Self.className) }

    /// The input's shape, which has height, width and channels.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let shape = try Self.only(inputShapes)
        guard shape.rank == 3 else {
            throw GraftError(
                .shape, "SpatialDropout2D takes (height, width, channels); it was given \(shape.batchDescription)")
        }
        return shape
    }

    /// A factor for each channel of each picture, and a multiplication; nothing outside training.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        let shape = context.graph.shape(of: input)
        return try Dropout.drop(input, factors: [shape[0], 1, 1, shape[3]], rate: rate, seed: seed, in: &context)
    }

    /// Keras's arguments.
    public override var arguments: [String: Configuration] {
        ["rate": .double(rate), "seed": seed.map { .int($0) } ?? .null, "data_format": "channels_last"]
    }
}

extension SpatialDropout2D {
    /// From Keras's configuration.
    convenience init(from reader: inout ConfigurationReader) throws(GraftError) {
        let (rate, seed) = try Dropout.rateAndSeed(from: &reader)
        self.init(rate, seed: seed, name: reader.name)
        try reader.require("data_format", "channels_last")
    }
}
