/// The mean of each window, channel by channel, over the elements that are not padding.
///
/// Input `(batch, height, width, channels)`, output `(batch, newHeight, newWidth, channels)`, sizes as ``Padding`` has
/// them. Source: keras/src/layers/pooling/average_pooling2d.py.
public final class AveragePooling2D: PoolingLayer2D, @unchecked Sendable {  // nothing of its own
    override class var schema: LayerSchema? { table }
    private static let table = schema(AveragePooling2D.self, AveragePooling2D.init)

    /// A pooling with Keras's defaults; the strides are the window's size where they are not given.
    public override init(
        poolSize: Size2D = 2, strides: Size2D? = nil, padding: Padding = .valid, name: String? = nil
    ) {
        super.init(poolSize: poolSize, strides: strides, padding: padding, name: name)
    }

    /// One pooling operation.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        return try context.graph.averagePool(input, window(for: context.graph.shape(of: input)))
    }
}
