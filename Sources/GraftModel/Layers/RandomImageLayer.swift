/// What the layers share that change images at random while a model trains: Keras's augmentation inside a network.
///
/// Input and output `(batch, height, width, channels)`. Each image of a batch has draws of its own, anew in each step; the
/// same run draws the same again. In inference mode nothing happens, but for a crop. What comes behind is no part of a
/// model's trunk, so that no features of augmented images are kept.
///
/// Source: keras/src/layers/preprocessing/image_preprocessing/base_image_preprocessing_layer.py.
public class RandomImageLayer: RandomLayer, @unchecked Sendable {  // constants only; `Layer` guards its own
    /// How many random numbers an image takes.
    class var drawCount: Int { 1 }

    /// The input's shape, which has height, width and channels.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        try Self.image(inputShapes)
    }

    /// Random numbers and what is made of them; nothing outside training.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let images = try Self.only(inputs)
        guard context.training else { return images }
        let batch = context.graph.shape(of: images)[0]
        let all = try context.uniform([batch, Self.drawCount], seed: seed)
        var draws: [ValueID] = []
        for column in 0..<Self.drawCount {
            try draws.append(context.graph.slice(all, start: [0, column], shape: [batch, 1]))
        }
        return try change(images, draws, in: &context.graph)
    }

    /// The images as these draws change them: columns of uniform numbers in [0, 1), one number for each image.
    func change(_ images: ValueID, _ draws: [ValueID], in graph: inout Graph) throws(GraftError) -> ValueID {
        images
    }
}

/// What the layers share that move the pixels of images at random: how places between pixels and outside are read.
public class RandomGeometryLayer: RandomImageLayer, @unchecked Sendable {  // constants only; `Layer` guards its own
    /// What stands for places outside of an image.
    public let fillMode: FillMode
    /// What stands between the pixels: nearest or bilinear.
    public let interpolation: Interpolation
    /// The constant for places outside.
    public let fillValue: Double

    init(fillMode: FillMode, interpolation: Interpolation, fillValue: Double, seed: Int?, name: String?) {
        (self.fillMode, self.interpolation, self.fillValue) = (fillMode, interpolation, fillValue)
        super.init(seed: seed, name: name)
    }

    /// Images read where six columns say, each of one number for each image or one for all.
    final func read(_ images: ValueID, at columns: [ValueID], in graph: inout Graph) throws(GraftError) -> ValueID {
        let shape = graph.shape(of: images)
        var numbers: [ValueID] = []
        for column in columns { try numbers.append(graph.broadcast(column, to: [shape[0], 1])) }
        return try graph.affineResample(
            images, graph.concatenate(numbers, axis: 1), to: Size2D(shape[1], shape[2]),
            isBilinear: interpolation == .bilinear, fill: fillMode, fillValue: Float(fillValue))
    }
}

extension Argument where Owner: RandomGeometryLayer {
    /// What stands for places outside.
    static var fillMode: Of<FillMode> { .plain("fill_mode", \.fillMode, default: .reflect) }
    /// What stands between the pixels.
    static var interpolation: Of<Interpolation> {
        .plain("interpolation", \.interpolation, default: .bilinear, .nearestOrBilinear)
    }
    /// The constant for places outside.
    static var fillValue: Of<Double> { .number("fill_value", \.fillValue, default: 0) }
}
