/// In training, shifts each image by amounts of its own. In inference mode it does nothing.
///
/// The shifts are uniform between parts of the height, positive ones downwards, and of the width, positive ones to the right.
/// Source: keras/src/layers/preprocessing/image_preprocessing/random_translation.py.
public final class RandomTranslation: RandomGeometryLayer, @unchecked Sendable {  // constants only
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        RandomTranslation.self, RandomTranslation.init,
        .plain("height_factor", \.heightFactor, default: nil, .within(-1...1)),
        .plain("width_factor", \.widthFactor, default: nil, .within(-1...1)), .fillMode, .interpolation, .fillValue,
        .seed, .name, fixed: [.channelsLast], traits: [.trainingOnly])

    override class var drawCount: Int { 2 }

    /// The shifts downwards, as parts of the height.
    public let heightFactor: ImageFactor
    /// The shifts to the right, as parts of the width.
    public let widthFactor: ImageFactor

    /// A layer with these amounts.
    public init(
        _ heightFactor: ImageFactor, _ widthFactor: ImageFactor, fillMode: FillMode = .reflect,
        interpolation: Interpolation = .bilinear, fillValue: Double = 0, seed: Int? = nil, name: String? = nil
    ) {
        (self.heightFactor, self.widthFactor) = (heightFactor, widthFactor)
        super.init(fillMode: fillMode, interpolation: interpolation, fillValue: fillValue, seed: seed, name: name)
    }

    override func change(_ images: ValueID, _ draws: [ValueID], in graph: inout Graph) throws(GraftError) -> ValueID {
        let shape = graph.shape(of: images)
        let down = try heightFactor.amounts(draws[0], in: &graph)
        let right = try widthFactor.amounts(draws[1], in: &graph)
        let (zero, one) = (
            try graph.constant(Tensor([0], shape: [1, 1])), try graph.constant(Tensor([1], shape: [1, 1]))
        )
        let columns = try graph.binary(.multiply, right, -Float(shape[2]))
        let rows = try graph.binary(.multiply, down, -Float(shape[1]))
        return try read(images, at: [one, zero, columns, zero, one, rows], in: &graph)
    }
}
