/// In training, adds to each image an amount of its own: `y = clip(x + f · (largest − least))`. In inference mode it does
/// nothing.
///
/// f is uniform between `factor`'s amounts; the least and the largest value are `valueRange`'s.
/// Source: keras/src/layers/preprocessing/image_preprocessing/random_brightness.py.
public final class RandomBrightness: RandomImageLayer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        RandomBrightness.self, RandomBrightness.init, .plain("factor", \.factor, default: nil, .within(-1...1)),
        .valueRange, .seed, .name, fixed: [.channelsLast], traits: [.trainingOnly])

    /// The amounts.
    public let factor: ImageFactor
    /// The least and the largest value that an image can have.
    public let valueRange: ImageFactor

    /// A layer with these amounts.
    public init(
        _ factor: ImageFactor, valueRange: ImageFactor = ImageFactor(0, 255), seed: Int? = nil, name: String? = nil
    ) {
        (self.factor, self.valueRange) = (factor.pair(notBelow: -.infinity), valueRange)
        super.init(seed: seed, name: name)
    }

    override func change(_ images: ValueID, _ draws: [ValueID], in graph: inout Graph) throws(GraftError) -> ValueID {
        let amounts = try factor.amounts(draws[0], in: &graph)
        let added = try graph.binary(.multiply, amounts, Float(valueRange.upper - valueRange.lower))
        let shaped = try graph.reshape(added, to: [graph.shape(of: images)[0], 1, 1, 1])
        return try graph.clip(graph.binary(.add, images, shaped), to: valueRange)
    }
}

extension Argument<RandomBrightness, ImageFactor> {
    fileprivate static var valueRange: Self { .plain("value_range", \.valueRange, default: ImageFactor(0, 255)) }
}
