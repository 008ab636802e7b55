/// Images in another size.
///
/// Input `(batch, rows, columns, channels)`, output `(batch, height, width, channels)`. With `cropToAspectRatio` the largest
/// part in the middle that has the form asked for, with `padToAspectRatio` the image with `fillValue` around it; else it is
/// stretched. Of Keras's interpolations nearest and bilinear, and `antialias`, which changes bilinear where images shrink.
///
/// Source: keras/src/layers/preprocessing/image_preprocessing/resizing.py; tf.image.resize.
public final class Resizing: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        Resizing.self, Resizing.init, .count("height", \.height), .count("width", \.width),
        .plain("interpolation", \.interpolation, default: .bilinear, .nearestOrBilinear),
        .flag("crop_to_aspect_ratio", \.cropToAspectRatio, default: false),
        .flag("pad_to_aspect_ratio", \.padToAspectRatio, default: false),
        .number("fill_value", \.fillValue, default: 0), .flag("antialias", \.antialias, default: false), .name,
        fixed: [.channelsLast, .only("fill_mode", "constant")])

    /// The rows of the result.
    public let height: Int
    /// The columns of the result.
    public let width: Int
    /// What stands between the pixels: nearest or bilinear.
    public let interpolation: Interpolation
    /// Whether the middle is taken instead of the whole.
    public let cropToAspectRatio: Bool
    /// Whether a border is added.
    public let padToAspectRatio: Bool
    /// The border's value.
    public let fillValue: Double
    /// Whether all pixels count where an image shrinks.
    public let antialias: Bool

    /// A layer that brings images to this size, with Keras's defaults.
    public init(
        height: Int, width: Int, interpolation: Interpolation = .bilinear, cropToAspectRatio: Bool = false,
        padToAspectRatio: Bool = false, fillValue: Double = 0, antialias: Bool = false, name: String? = nil
    ) {
        (self.height, self.width, self.interpolation) = (height, width, interpolation)
        (self.cropToAspectRatio, self.padToAspectRatio) = (cropToAspectRatio, padToAspectRatio)
        (self.fillValue, self.antialias) = (fillValue, antialias)
        super.init(name: name)
    }

    /// Either a part or a border, and not both.
    public override func checkArguments() throws(GraftError) {
        try super.checkArguments()
        guard !cropToAspectRatio || !padToAspectRatio else {
            throw GraftError(
                .argument, "Resizing: crop_to_aspect_ratio and pad_to_aspect_ratio are both true; one must be false")
        }
    }

    /// The size asked for.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let image = try Self.image(inputShapes)
        guard Self.padded(image, to: Size2D(height, width)).hasSensibleSize else {
            throw GraftError(.shape, "Resizing: \(image.batchDescription) with a border is larger than any machine")
        }
        return [height, width, image.last]
    }

    /// A resize, of a slice or of images with a border.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try resized(Self.only(inputs), in: &context.graph)
    }

    func resized(_ images: ValueID, in graph: inout Graph) throws(GraftError) -> ValueID {
        let size = Size2D(height, width)
        let kind: Interpolation = antialias && interpolation == .bilinear ? .bilinearAntialiased : interpolation
        if cropToAspectRatio { return try graph.resizedMiddle(of: images, to: size, kind) }
        guard padToAspectRatio else { return try graph.resize(images, to: size, kind) }
        let shape = graph.shape(of: images)
        let padded = Self.padded(Shape(Array(shape.dimensions.dropFirst())), to: size)
        let border = [0, (padded[0] - shape[1]) / 2, (padded[1] - shape[2]) / 2, 0]
        // A border of zeros around what is less by the border's value, which is added again.
        let shifted = fillValue == 0 ? images : try graph.binary(.subtract, images, Float(fillValue))
        let bordered = try graph.pad(shifted, before: border, after: border)
        let filled = fillValue == 0 ? bordered : try graph.binary(.add, bordered, Float(fillValue))
        return try graph.resize(filled, to: size, kind)
    }

    /// An image's shape with the border that gives it a size's form; sizes are rounded in 32 bits as in Keras.
    private static func padded(_ image: Shape, to size: Size2D) -> Shape {
        let height = Float(image[1]) * Float(size.height) / Float(size.width)
        let width = Float(image[0]) * Float(size.width) / Float(size.height)
        return [
            max(image[0], Int(min(height, 0x1p40))), max(image[1], Int(min(width, 0x1p40))), image[2],
        ]
    }
}
