/// `y = (x − mean) / max(√variance, 1e-7)`, with fixed statistics; with `invert`, `y = mean + x · max(√variance, 1e-7)`.
///
/// The statistics are given, or they are the variables `mean`, `variance` and `count`, which are loaded and never train.
/// Input and output have the same shape. `axes` are those with statistics of their own, counted from the batch axis as
/// in Keras; none of them means one mean for all. Source: keras/src/layers/preprocessing/normalization.py.
public final class Normalization: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        Normalization.self, Normalization.init(axes:mean:variance:invert:name:),
        .axes, .statistic("mean", \.mean), .statistic("variance", \.variance),
        .flag("invert", \.invert, default: false),
        .name)

    /// The axes with statistics of their own.
    public let axes: [Int]
    /// The given mean; `nil` where it is a variable.
    public let mean: Rescaling.Coefficient?
    /// The given variance; `nil` where it is a variable.
    public let variance: Rescaling.Coefficient?
    /// Whether the normalization is undone.
    public let invert: Bool

    /// The smallest standard deviation, Keras's `epsilon()`.
    private static let smallestDeviation: Float = 1e-7

    /// A normalization of the last axis's channels, by default. Give both statistics or none.
    public init(
        axes: [Int] = [-1], mean: Rescaling.Coefficient? = nil, variance: Rescaling.Coefficient? = nil,
        invert: Bool = false, name: String? = nil
    ) {
        (self.axes, self.mean, self.variance, self.invert) = (axes, mean, variance, invert)
        super.init(name: name)
    }

    /// Both statistics are given or none.
    public override func checkArguments() throws(GraftError) {
        guard (mean == nil) == (variance == nil) else {
            throw GraftError(.argument, "Normalization needs both the mean and the variance, or none of them")
        }
    }

    /// Makes the variables where no statistics are given.
    public override func build(inputShapes: [Shape]) throws(GraftError) {
        guard mean == nil else { return }
        let shape = try statisticsShape(for: Self.only(inputShapes), keepingAxes: false)
        try addVariable("mean", shape: shape, initializer: .zeros, trainable: false)
        try addVariable("variance", shape: shape, initializer: .ones, trainable: false)
        try addVariable("count", shape: [], initializer: .zeros, trainable: false)
    }

    /// The input's shape.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let shape = try Self.only(inputShapes)
        let statistics = try statisticsShape(for: shape, keepingAxes: true)
        let own = try statisticsShape(for: shape, keepingAxes: false)
        for case .channels(let numbers)? in [mean, variance] where numbers.count != statistics.elementCount {
            throw GraftError(
                .shape,
                "Normalization has \(numbers.count) numbers; the input \(shape.batchDescription) needs "
                    + "\(statistics.elementCount)")
        }
        if let built = variable(named: "mean")?.shape, built != own {
            throw GraftError(.shape, "Normalization was built for statistics of shape \(built); the input needs \(own)")
        }
        return shape
    }

    /// A subtraction and a division; the deviation is computed from the variance once.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        let example = Shape(Array(context.graph.shape(of: input).dimensions.dropFirst()))
        let shape = try statisticsShape(for: example, keepingAxes: true)
        let mean = try statistic(self.mean, "mean", shape, in: &context)
        let variance = try statistic(self.variance, "variance", shape, in: &context)
        let root = try context.graph.unary(.squareRoot, variance)
        let deviation = try context.graph.binary(.maximum, root, Self.smallestDeviation)
        guard !invert else {
            return try context.graph.binary(.add, mean, context.graph.binary(.multiply, input, deviation))
        }
        return try context.graph.binary(.divide, context.graph.binary(.subtract, input, mean), deviation)
    }

    private func statistic(
        _ given: Rescaling.Coefficient?, _ name: String, _ shape: Shape, in context: inout LoweringContext
    ) throws(GraftError) -> ValueID {
        if case .number(let number) = given { return try context.graph.constant(Float(number)) }
        if let given { return try context.graph.constant(given.tensor.reshaped(to: shape)) }
        return try context.graph.reshape(context.value(of: requireVariable(name)), to: shape)
    }

    /// The kept axes' sizes, alone or among ones, so that they broadcast against an input with its batch axis.
    private func statisticsShape(for example: Shape, keepingAxes: Bool) throws(GraftError) -> Shape {
        let rank = example.rank + 1
        let kept = Set(axes.map { $0 < 0 ? $0 + rank : $0 })
        guard kept.count == axes.count, kept.allSatisfy({ (1..<rank).contains($0) }) else {
            throw GraftError(
                .argument,
                "Normalization: \(axes) are not distinct axes of \(example.batchDescription) other than the "
                    + "batch axis")
        }
        guard keepingAxes else { return Shape(kept.sorted().map { example[$0 - 1] }) }
        return Shape((0..<rank).map { kept.contains($0) ? example[$0 - 1] : 1 })
    }
}

extension Argument<Normalization, [Int]> {
    /// One axis, a list of them, or nothing for none.
    fileprivate static var axes: Self {
        custom(
            "axis", \.axes, default: [],
            read: { (value) throws(GraftError) in
                let elements = value.elements ?? [value]
                let axes = elements.compactMap(\.integer)
                guard axes.count == elements.count else { throw value.isNot("whole numbers") }
                return axes
            }, write: { $0.configuration })
    }
}

extension Argument<Normalization, Rescaling.Coefficient?> {
    /// A statistic: Keras writes it always with a point.
    fileprivate static func statistic(
        _ key: String, _ property: Property<Normalization, Rescaling.Coefficient?>
    ) -> Self {
        custom(
            key, property, default: .some(nil),
            read: { (value) throws(GraftError) in try Rescaling.Coefficient(configuration: value) },
            write: { statistic in
                if case .number(let number) = statistic { .double(number) } else { statistic.configuration }
            })
    }
}
