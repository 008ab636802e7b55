/// What the two pooling layers share: a window that moves over an image.
///
/// Source: keras/src/layers/pooling/base_pooling.py.
public class PoolingLayer2D: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    /// The window's size.
    public let poolSize: Size2D
    /// The step between windows.
    public let strides: Size2D
    /// What happens at the edges.
    public let padding: Padding

    init(poolSize: Size2D, strides: Size2D?, padding: Padding, name: String?) {
        (self.poolSize, self.strides, self.padding) = (poolSize, strides ?? poolSize, padding)
        super.init(name: name)
    }

    /// The table of a pooling.
    static func schema<Owner: PoolingLayer2D>(
        _ type: Owner.Type, _ make: @escaping @Sendable (Size2D, Size2D?, Padding, String?) -> Owner
    ) -> LayerSchema {
        LayerSchema(
            type, make, .size("pool_size", \.poolSize, default: 2),
            .sizeOrNil("strides", \.strides), .padding(\.padding), .name,
            fixed: [.channelsLast], traits: [.builtFromTheStart])
    }

    /// Height and width as ``Padding`` has them, and the channels.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let input = try Shape([1] + Self.image(inputShapes).dimensions)
        return Shape(Array(try window(for: input).resultShape(input: input).dimensions.dropFirst()))
    }

    /// The operation's window for an NHWC input.
    final func window(for input: Shape) -> Window {
        let edges = padding.edges(height: input[1], width: input[2], window: poolSize, strides: strides)
        return Window(size: poolSize, strides: strides, padding: edges)
    }
}
