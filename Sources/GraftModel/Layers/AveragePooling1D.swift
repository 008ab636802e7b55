/// The mean of each window, channel by channel, over the elements that are not padding.
///
/// Input `(batch, steps, channels)`, output `(batch, newSteps, channels)`, sizes as ``Padding`` has them.
/// Source: keras/src/layers/pooling/average_pooling1d.py.
public final class AveragePooling1D: PoolingLayer1D, @unchecked Sendable {  // nothing of its own
    override class var schema: LayerSchema? { table }
    private static let table = schema(AveragePooling1D.self, AveragePooling1D.init)

    /// A pooling with Keras's defaults; the strides are the window's size where they are not given.
    public override init(poolSize: Int = 2, strides: Int? = nil, padding: Padding = .valid, name: String? = nil) {
        super.init(poolSize: poolSize, strides: strides, padding: padding, name: name)
    }

    /// One pooling operation.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let (row, window) = try windowed(inputs, in: &context)
        return try sequence(context.graph.averagePool(row, window), in: &context)
    }
}
