/// Rows and columns of zeros around an image.
///
/// Input `(batch, height, width, channels)`, output `(batch, height + top + bottom, width + left + right, channels)`.
/// Source: keras/src/layers/reshaping/zero_padding2d.py.
public final class ZeroPadding2D: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    /// Keras's name.
    public override class var className: String { "ZeroPadding2D" }
    /// What is added on each side.
    public let padding: EdgePadding

    /// As much above as below, and as much to the left as to the right.
    public convenience init(padding: Size2D = 1, name: String? = nil) {
        self.init(
            padding: EdgePadding(
                top: padding.height, bottom: padding.height, left: padding.width, right: padding.width), name: name)
    }

    /// These rows and columns.
    public init(padding: EdgePadding, name: String? = nil) {
        self.padding = padding
        super.init(name: name)
    }

    /// Nothing may be negative.
    public override func checkArguments() throws(GraftError) {
        let sides = [padding.top, padding.bottom, padding.left, padding.right]
        guard sides.allSatisfy({ (0...Size2D.limit).contains($0) }) else {
            throw GraftError(.argument, "ZeroPadding2D: the padding must be from 0 to \(Size2D.limit), is \(sides)")
        }
    }

    /// Height and width grow by the padding.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let image = try Self.image(inputShapes)
        return [image[0] + padding.top + padding.bottom, image[1] + padding.left + padding.right, image[2]]
    }

    /// One operation.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try context.graph.pad(
            Self.only(inputs), before: [0, padding.top, padding.left, 0], after: [0, padding.bottom, padding.right, 0])
    }

    /// Keras's arguments.
    public override var arguments: [String: Configuration] {
        [
            "padding": [[.int(padding.top), .int(padding.bottom)], [.int(padding.left), .int(padding.right)]],
            "data_format": "channels_last",
        ]
    }
}

extension ZeroPadding2D {
    /// From Keras's configuration: one number, a pair, or a pair of pairs.
    convenience init(from reader: inout ConfigurationReader) throws(GraftError) {
        let value = reader.optional("padding") ?? 1
        guard let edges = Self.edges(value) else {
            throw reader.wrong("padding", "must be a number, a pair or two pairs of whole numbers, is \(value.brief)")
        }
        self.init(padding: edges, name: reader.name)
        try reader.require("data_format", "channels_last")
    }

    private static func edges(_ value: Configuration) -> EdgePadding? {
        if let both = value.integer { return EdgePadding(top: both, bottom: both, left: both, right: both) }
        guard let sides = value.elements, sides.count == 2, let rows = pair(sides[0]), let columns = pair(sides[1])
        else { return nil }
        return EdgePadding(top: rows.0, bottom: rows.1, left: columns.0, right: columns.1)
    }

    private static func pair(_ value: Configuration) -> (Int, Int)? {
        if let both = value.integer { return (both, both) }
        guard let elements = value.elements, elements.count == 2, let first = elements[0].integer,
            let second = elements[1].integer
        else { return nil }
        return (first, second)
    }
}
