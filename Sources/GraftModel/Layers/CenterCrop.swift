/// The middle of images; of smaller ones the largest part in the middle that has the form asked for, resized.
///
/// Input `(batch, rows, columns, channels)`, output `(batch, height, width, channels)`.
/// Source: keras/src/layers/preprocessing/image_preprocessing/center_crop.py.
public final class CenterCrop: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        CenterCrop.self, CenterCrop.init(height:width:name:), .count("height", \.height), .count("width", \.width),
        .name,
        fixed: [.channelsLast])

    /// The rows of the middle.
    public let height: Int
    /// The columns of the middle.
    public let width: Int

    /// A layer that crops images to this size.
    public init(height: Int, width: Int, name: String? = nil) {
        (self.height, self.width) = (height, width)
        super.init(name: name)
    }

    /// The middle's size.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        [height, width, try Self.image(inputShapes).last]
    }

    /// A slice, with a resize where images are too small.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let images = try Self.only(inputs)
        let shape = context.graph.shape(of: images)
        guard shape[1] >= height, shape[2] >= width else {
            return try context.graph.resizedMiddle(of: images, to: Size2D(height, width), .bilinear)
        }
        let start = [0, (shape[1] - height) / 2, (shape[2] - width) / 2, 0]
        return try context.graph.slice(images, start: start, shape: [shape[0], height, width, shape[3]])
    }
}
