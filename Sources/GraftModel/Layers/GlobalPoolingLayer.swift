/// What the poolings over whole images and whole sequences share.
///
/// Source: keras/src/layers/pooling/base_global_pooling.py.
public class GlobalPoolingLayer: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    private let function: ReductionFunction
    /// The axes that are pooled, 1 or 2, between the batch and the channels.
    private let axisCount: Int
    /// Whether the axes that are pooled stay, with size 1.
    public let keepDims: Bool

    init(_ function: ReductionFunction, axisCount: Int, keepDims: Bool, name: String?) {
        (self.function, self.axisCount, self.keepDims) = (function, axisCount, keepDims)
        super.init(name: name)
    }

    /// The table of such a pooling.
    static func schema<Owner: GlobalPoolingLayer>(
        _ type: Owner.Type, _ make: @escaping @Sendable (Bool, String?) -> Owner
    ) -> LayerSchema {
        LayerSchema(
            type, make, .flag("keepdims", \.keepDims, default: false), .name, fixed: [.channelsLast],
            traits: [.builtFromTheStart])
    }

    /// The channels.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let channels = try (axisCount == 1 ? Self.sequence(inputShapes) : Self.image(inputShapes)).last
        return Shape([Int](repeating: 1, count: keepDims ? axisCount : 0) + [channels])
    }

    /// One reduction.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try context.graph.reduce(function, Self.only(inputs), axes: Array(1...axisCount), keepDimensions: keepDims)
    }
}
