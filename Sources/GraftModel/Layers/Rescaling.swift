/// `y = x · scale + offset`.
///
/// Input and output have the same shape. Each of the two is one number, or one a channel.
/// Source: keras/src/layers/preprocessing/rescaling.py.
public final class Rescaling: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        Rescaling.self, Rescaling.init(scale:offset:name:), .plain("scale", \.scale, default: nil),
        .plain("offset", \.offset, default: Coefficient.number(0)), .name)

    /// What the input is multiplied by.
    public let scale: Coefficient
    /// What is added.
    public let offset: Coefficient

    /// A number for all channels, or one for each.
    public enum Coefficient: Hashable, Sendable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
        ExpressibleByArrayLiteral
    {
        /// For all channels.
        case number(Double)
        /// For each channel.
        case channels([Double])

        /// For all channels.
        public init(floatLiteral value: Double) { self = .number(value) }
        /// For all channels.
        public init(integerLiteral value: Int) { self = .number(Double(value)) }
        /// For each channel.
        public init(arrayLiteral elements: Double...) { self = .channels(elements) }
    }

    /// A layer with one number each: `Rescaling(1 / 127.5, offset: -1)`.
    public convenience init(_ scale: Double, offset: Double = 0, name: String? = nil) {
        self.init(scale: .number(scale), offset: .number(offset), name: name)
    }

    /// A layer with numbers for all channels or for each.
    public init(scale: Coefficient, offset: Coefficient = 0, name: String? = nil) {
        (self.scale, self.offset) = (scale, offset)
        super.init(name: name)
    }

    /// The input's shape.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let shape = try Self.only(inputShapes)
        for case .channels(let numbers) in [scale, offset] where numbers.count != shape.last && numbers.count != 1 {
            throw GraftError(
                .shape,
                "Rescaling has \(numbers.count) numbers; the input \(shape.batchDescription) has \(shape.last) "
                    + "channels")
        }
        return shape
    }

    /// A multiplication and an addition; none where there is nothing to add.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let factor = try context.graph.constant(scale.tensor)
        let scaled = try context.graph.binary(.multiply, Self.only(inputs), factor)
        guard offset != .number(0) else { return scaled }
        return try context.graph.binary(.add, scaled, context.graph.constant(offset.tensor))
    }
}

extension Rescaling.Coefficient: ConfigurationValue {
    /// As a constant of the graph.
    package var tensor: Tensor {
        switch self {
        case .number(let number): Tensor(Float(number))
        case .channels(let numbers): Tensor(numbers.map { Float($0) }, shape: [numbers.count])
        }
    }

    /// As Keras writes it: whole numbers without a point, as Python programs mostly give them.
    package var configuration: Configuration {
        switch self {
        case .number(let number): Int(exactly: number).map { .int($0) } ?? .double(number)
        case .channels(let numbers): .array(numbers.map { .double($0) })
        }
    }

    init(configuration: Configuration) throws(GraftError) {
        if let number = configuration.number {
            self = .number(number)
            return
        }
        let numbers = configuration.elements?.compactMap(\.number) ?? []
        guard !numbers.isEmpty, numbers.count == configuration.elements?.count else {
            throw configuration.isNot("a number or a list of numbers")
        }
        self = .channels(numbers)
    }
}
