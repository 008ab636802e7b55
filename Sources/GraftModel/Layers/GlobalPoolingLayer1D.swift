/// What the two poolings over whole sequences share.
///
/// Input `(batch, steps, channels)`, output `(batch, channels)`, or `(batch, 1, channels)` with `keepDims`.
/// Source: keras/src/layers/pooling/base_global_pooling.py.
public class GlobalPoolingLayer1D: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    private let function: ReductionFunction
    /// Whether the axis of the steps stays, with size 1.
    public let keepDims: Bool

    init(_ function: ReductionFunction, keepDims: Bool, name: String?) {
        (self.function, self.keepDims) = (function, keepDims)
        super.init(name: name)
    }

    /// The table of a pooling over whole sequences.
    static func schema<Owner: GlobalPoolingLayer1D>(
        _ type: Owner.Type, _ make: @escaping @Sendable (Bool, String?) -> Owner
    ) -> LayerSchema {
        LayerSchema(
            type, make, .flag("keepdims", \.keepDims, default: false), .name, fixed: [.channelsLast],
            traits: [.builtFromTheStart])
    }

    /// The channels.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let channels = try Self.sequence(inputShapes).last
        return keepDims ? [1, channels] : [channels]
    }

    /// One reduction.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try context.graph.reduce(function, Self.only(inputs), axes: [1], keepDimensions: keepDims)
    }
}
