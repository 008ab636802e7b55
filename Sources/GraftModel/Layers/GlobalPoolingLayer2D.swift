/// What the two poolings over whole images share.
///
/// Source: keras/src/layers/pooling/base_global_pooling.py.
public class GlobalPoolingLayer2D: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    private let function: ReductionFunction
    /// Whether height and width stay, with size 1.
    public let keepDims: Bool

    init(_ function: ReductionFunction, keepDims: Bool, name: String?) {
        (self.function, self.keepDims) = (function, keepDims)
        super.init(name: name)
    }

    /// The table of a pooling over whole images.
    static func schema<Owner: GlobalPoolingLayer2D>(
        _ type: Owner.Type, _ make: @escaping @Sendable (Bool, String?) -> Owner
    ) -> LayerSchema {
        LayerSchema(
            type, make, .flag("keepdims", \.keepDims, default: false), .name, fixed: [.channelsLast],
            traits: [.builtFromTheStart])
    }

    /// The channels.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let channels = try Self.image(inputShapes).last
        return keepDims ? [1, 1, channels] : [channels]
    }

    /// One reduction.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try context.graph.reduce(function, Self.only(inputs), axes: [1, 2], keepDimensions: keepDims)
    }
}
