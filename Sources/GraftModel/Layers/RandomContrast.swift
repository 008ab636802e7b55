/// In training, brings the values of each image farther from the mean of their channel, or nearer, by a factor of its own:
/// `y = clip((x − mean) · f + mean)`. In inference mode it does nothing.
///
/// f is uniform between 1 − `factor`'s lower and 1 + its upper amount; one number alone means no lower amount, as in Keras
/// 3.15. Source: keras/src/layers/preprocessing/image_preprocessing/random_contrast.py.
public final class RandomContrast: RandomImageLayer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        RandomContrast.self, RandomContrast.init, .plain("factor", \.factor, default: nil, .within(0...1)), .valueRange,
        .seed, .name, fixed: [.channelsLast], traits: [.trainingOnly])

    /// The amounts.
    public let factor: ImageFactor
    /// The least and the largest value that an image can have.
    public let valueRange: ImageFactor

    /// A layer with these amounts.
    public init(
        _ factor: ImageFactor, valueRange: ImageFactor = ImageFactor(0, 255), seed: Int? = nil, name: String? = nil
    ) {
        (self.factor, self.valueRange) = (factor.pair(notBelow: 0), valueRange)
        super.init(seed: seed, name: name)
    }

    override func change(_ images: ValueID, _ draws: [ValueID], in graph: inout Graph) throws(GraftError) -> ValueID {
        let mean = try graph.reduce(.mean, images, axes: [1, 2], keepDimensions: true)
        let range = ImageFactor(-factor.lower, factor.upper)
        let amounts = try range.amounts(draws[0], plus: 1, in: &graph)
        let factors = try graph.reshape(amounts, to: [graph.shape(of: images)[0], 1, 1, 1])
        let changed = try graph.binary(.multiply, graph.binary(.subtract, images, mean), factors)
        return try graph.clip(graph.binary(.add, changed, mean), to: valueRange)
    }
}

extension Argument<RandomContrast, ImageFactor> {
    fileprivate static var valueRange: Self { .plain("value_range", \.valueRange, default: ImageFactor(0, 255)) }
}

extension Graph {
    /// Values inside a range of an image's.
    mutating func clip(_ images: ValueID, to range: ImageFactor) throws(GraftError) -> ValueID {
        try binary(.minimum, binary(.maximum, images, Float(range.lower)), Float(range.upper))
    }
}
