/// Rows and columns of zeros around an image.
///
/// Input `(batch, height, width, channels)`, output `(batch, height + top + bottom, width + left + right, channels)`.
/// Source: keras/src/layers/reshaping/zero_padding2d.py.
public final class ZeroPadding2D: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        ZeroPadding2D.self, ZeroPadding2D.init(padding:name:),
        .plain("padding", \.padding, default: EdgePadding(1), called: "the padding", .inRange), .name,
        fixed: [.channelsLast])

    /// What is added on each side.
    public let padding: EdgePadding

    /// As much above as below, and as much to the left as to the right.
    public convenience init(padding: Size2D = 1, name: String? = nil) {
        self.init(padding: EdgePadding(padding), name: name)
    }

    /// These rows and columns.
    public init(padding: EdgePadding, name: String? = nil) {
        self.padding = padding
        super.init(name: name)
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
}

extension EdgePadding: ConfigurationValue {
    /// As much above as below, and as much to the left as to the right.
    init(_ both: Size2D) {
        self.init(top: both.height, bottom: both.height, left: both.width, right: both.width)
    }

    /// One number, a pair, or a pair of pairs.
    init(configuration: Configuration) throws(GraftError) {
        let sides = configuration.integer.map { [.int($0), .int($0)] } ?? configuration.elements ?? []
        guard sides.count == 2, let rows = try? Size2D(configuration: sides[0]),
            let columns = try? Size2D(configuration: sides[1])
        else { throw configuration.isNot("a number, a pair or two pairs of whole numbers") }
        self.init(top: rows.height, bottom: rows.width, left: columns.height, right: columns.width)
    }

    /// A pair of pairs.
    var configuration: Configuration { [[.int(top), .int(bottom)], [.int(left), .int(right)]] }
}

extension Requirement<EdgePadding> {
    /// Nothing is negative, and sums stay in range.
    static var inRange: Self {
        Self { edges in
            let sides = [edges.top, edges.bottom, edges.left, edges.right]
            guard !sides.allSatisfy({ (0...Size2D.limit).contains($0) }) else { return nil }
            return "must be from 0 to \(Size2D.limit), is \(sides)"
        }
    }
}
