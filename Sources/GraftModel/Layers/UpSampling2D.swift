/// Repeats the rows and columns of images, or fills in between them.
///
/// Input `(batch, height, width, channels)`, output `(batch, height · size, width · size, channels)`. Nearest repeats each pixel;
/// bilinear weighs the four pixels whose centres are around a place, and repeats those at the edges.
///
/// Source: keras/src/layers/reshaping/up_sampling2d.py.
public final class UpSampling2D: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        UpSampling2D.self, UpSampling2D.init, .size("size", \.size, default: 2),
        .plain("interpolation", \.interpolation, default: .nearest, .named), .name, fixed: [.channelsLast])

    /// How often each row and each column is repeated.
    public let size: Size2D
    /// What stands between the pixels: nearest or bilinear.
    public let interpolation: Interpolation

    /// An enlargement with Keras's defaults.
    public init(size: Size2D = 2, interpolation: Interpolation = .nearest, name: String? = nil) {
        (self.size, self.interpolation) = (size, interpolation)
        super.init(name: name)
    }

    /// Height and width times the size.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let image = try Self.image(inputShapes)
        let (height, tall) = image[0].multipliedReportingOverflow(by: size.height)
        let (width, wide) = image[1].multipliedReportingOverflow(by: size.width)
        guard !tall, !wide else {
            throw GraftError(.shape, "\(image) times \(size) is larger than any machine")
        }
        return [height, width, image[2]]
    }

    /// One operation.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let image = try Self.only(inputs)
        let shape = context.graph.shape(of: image)
        let result = Size2D(shape[1] * size.height, shape[2] * size.width)
        return try context.graph.resize(image, to: result, interpolation)
    }
}

extension Interpolation: ConfigurationValue {
    /// Keras's names of those that it has.
    private static var names: [String: Interpolation] { ["nearest": .nearest, "bilinear": .bilinear] }

    init(configuration: Configuration) throws(GraftError) {
        self = try configuration.expect(configuration.text.flatMap { Self.names[$0] }, "nearest or bilinear")
    }

    /// Keras's name; `null` where it has none.
    var configuration: Configuration { Self.names.first { $0.value == self }.map { .string($0.key) } ?? .null }
}

extension Requirement<Interpolation> {
    /// One that Keras has a name for.
    fileprivate static var named: Self {
        Self { $0.configuration.isNull ? "must be nearest or bilinear, is \($0)" : nil }
    }
}
