/// In training, a part of each image at a place of its own; in inference mode the middle, made as large as it can be and
/// resized.
///
/// Output `(batch, height, width, channels)`. An image that is not larger than the crop in both directions is cropped to
/// the crop's form in the middle and resized, in training too. Keras 3.15 cuts all images of a batch at one place, and gives
/// whole images in inference mode, whatever shape the layer says; its documentation, and Keras 2, have it as it is here.
///
/// Source: keras/src/layers/preprocessing/image_preprocessing/random_crop.py.
public final class RandomCrop: RandomImageLayer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        RandomCrop.self, RandomCrop.init, .count("height", \.height), .count("width", \.width), .seed, .name,
        fixed: [.channelsLast], traits: [.trainingOnly])

    override class var drawCount: Int { 2 }

    /// The rows of the part.
    public let height: Int
    /// The columns of the part.
    public let width: Int

    /// A layer that crops images to this size.
    public init(height: Int, width: Int, seed: Int? = nil, name: String? = nil) {
        (self.height, self.width) = (height, width)
        super.init(seed: seed, name: name)
    }

    /// The part's size.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        [height, width, try Self.image(inputShapes).last]
    }

    /// A part at random in training, the middle else.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let images = try Self.only(inputs)
        let shape = context.graph.shape(of: images)
        guard context.training, shape[1] > height, shape[2] > width else {
            return try context.graph.resizedMiddle(of: images, to: Size2D(height, width), .bilinear)
        }
        return try super.lower(inputs, in: &context)
    }

    override func change(_ images: ValueID, _ draws: [ValueID], in graph: inout Graph) throws(GraftError) -> ValueID {
        let shape = graph.shape(of: images)
        var starts: [ValueID] = []
        for (draw, places) in zip(draws, [shape[1] - height + 1, shape[2] - width + 1]) {
            // Whole numbers: of those below 1, none reaches the number of places.
            let whole = try graph.cast(graph.binary(.multiply, draw, Float(places)), to: .int32)
            try starts.append(graph.binary(.minimum, graph.cast(whole, to: .float32), Float(places - 1)))
        }
        let numbers = try [Float(1), 0, 0, 1].map { (number) throws(GraftError) in
            try graph.constant(Tensor(repeating: number, shape: [shape[0], 1]))
        }
        let columns = [numbers[0], numbers[1], starts[1], numbers[2], numbers[3], starts[0]]
        return try graph.affineResample(
            images, graph.concatenate(columns, axis: 1), to: Size2D(height, width), isBilinear: false, fill: .nearest)
    }
}

extension Graph {
    /// The largest middle part of images that has a size's form, resized to it.
    ///
    /// Source: keras/src/utils/image_utils.py, `smart_resize`; sizes are rounded in 32 bits as there.
    mutating func resizedMiddle(
        of images: ValueID, to size: Size2D, _ interpolation: Interpolation
    ) throws(GraftError) -> ValueID {
        let shape = shape(of: images)
        let height = Int(Float(shape[2] * size.height) / Float(size.width))
        let width = Int(Float(shape[1] * size.width) / Float(size.height))
        let part = Size2D(max(min(shape[1], height), 1), max(min(shape[2], width), 1))
        let start = [0, (shape[1] - part.height) / 2, (shape[2] - part.width) / 2, 0]
        let middle = try slice(images, start: start, shape: [shape[0], part.height, part.width, shape[3]])
        return try resize(middle, to: size, interpolation)
    }
}
