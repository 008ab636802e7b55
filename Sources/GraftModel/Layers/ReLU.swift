/// The rectified linear unit with its limits: x where it is above the threshold, at most a largest value, and
/// `negativeSlope · (x − threshold)` elsewhere.
///
/// Input and output have the same shape. Source: keras/src/layers/activations/relu.py.
public final class ReLU: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    /// Keras's name.
    public override class var className: String { "ReLU" }
    /// The largest value that comes out; `nil` for no limit.
    public let maxValue: Double?
    /// The slope below the threshold.
    public let negativeSlope: Double
    /// What x must be larger than to come through.
    public let threshold: Double

    /// A layer with these limits, of which none may be negative.
    public init(maxValue: Double? = nil, negativeSlope: Double = 0, threshold: Double = 0, name: String? = nil) {
        (self.maxValue, self.negativeSlope, self.threshold) = (maxValue, negativeSlope, threshold)
        super.init(name: name)
    }

    /// Nothing may be negative.
    public override func checkArguments() throws(GraftError) {
        for (name, value) in [("maxValue", maxValue ?? 0), ("negativeSlope", negativeSlope), ("threshold", threshold)] {
            guard value >= 0, value.isFinite else {
                throw GraftError(.argument, "ReLU: \(name) must be a number of at least 0, is \(value)")
            }
        }
    }

    /// One operation for the plain function, two with a largest value.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let x = try Self.only(inputs)
        var y =
            threshold == 0
            ? try context.graph.unary(.relu, x)
            : try context.graph.binary(.multiply, x, context.graph.binary(.greater, x, Float(threshold)))
        if let maxValue { y = try context.graph.binary(.minimum, y, Float(maxValue)) }
        guard negativeSlope != 0 else { return y }
        let below = try context.graph.unary(
            .relu, context.graph.binary(.subtract, context.graph.constant(Float(threshold)), x))
        return try context.graph.binary(
            .subtract, y, context.graph.binary(.multiply, below, Float(negativeSlope)))
    }

    /// Keras's arguments.
    public override var arguments: [String: Configuration] {
        [
            "max_value": maxValue.map { .double($0) } ?? .null, "negative_slope": .double(negativeSlope),
            "threshold": .double(threshold),
        ]
    }
}

extension ReLU {
    /// From Keras's configuration.
    convenience init(from reader: inout ConfigurationReader) throws(GraftError) {
        let maxValue = try reader.number("max_value", default: .infinity)
        try self.init(
            maxValue: maxValue == .infinity ? nil : maxValue,
            negativeSlope: reader.number("negative_slope", default: 0),
            threshold: reader.number("threshold", default: 0), name: reader.name)
    }
}
