/// An image without some rows and columns at its edges.
///
/// Input `(batch, height, width, channels)`, output `(batch, height − top − bottom, width − left − right, channels)`.
/// Source: keras/src/layers/reshaping/cropping2d.py.
public final class Cropping2D: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        Cropping2D.self, Cropping2D.init(cropping:name:),
        .plain("cropping", \.cropping, default: EdgePadding.none, called: "the cropping", .inRange), .name,
        fixed: [.channelsLast])

    /// What is taken away on each side.
    public let cropping: EdgePadding

    /// As much above as below, and as much to the left as to the right.
    public convenience init(cropping: Size2D, name: String? = nil) {
        self.init(cropping: EdgePadding(cropping), name: name)
    }

    /// These rows and columns.
    public init(cropping: EdgePadding = .none, name: String? = nil) {
        self.cropping = cropping
        super.init(name: name)
    }

    /// Height and width shrink by the cropping.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let image = try Self.image(inputShapes)
        let rows = image[0] - cropping.top - cropping.bottom
        let columns = image[1] - cropping.left - cropping.right
        guard rows > 0, columns > 0 else {
            throw GraftError(
                .shape,
                "Cropping2D: nothing is left of \(image.batchDescription) without \(cropping.top) rows above, "
                    + "\(cropping.bottom) below, \(cropping.left) columns left and \(cropping.right) right")
        }
        return [rows, columns, image[2]]
    }

    /// One operation.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        let shape = context.graph.shape(of: input)
        let cropped = try outputShape(for: [Shape(Array(shape.dimensions.dropFirst()))])
        return try context.graph.slice(
            input, start: [0, cropping.top, cropping.left, 0], shape: Shape([shape[0]] + cropped.dimensions))
    }
}
