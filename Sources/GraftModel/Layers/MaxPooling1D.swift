/// The largest element of each window, channel by channel; padding never wins.
///
/// Input `(batch, steps, channels)`, output `(batch, newSteps, channels)`, sizes as ``Padding`` has them.
/// Source: keras/src/layers/pooling/max_pooling1d.py.
public final class MaxPooling1D: PoolingLayer1D, @unchecked Sendable {  // nothing of its own
    override class var schema: LayerSchema? { table }
    private static let table = schema(MaxPooling1D.self, MaxPooling1D.init)

    /// A pooling with Keras's defaults; the strides are the window's size where they are not given.
    public override init(poolSize: Int = 2, strides: Int? = nil, padding: Padding = .valid, name: String? = nil) {
        super.init(poolSize: poolSize, strides: strides, padding: padding, name: name)
    }

    /// One pooling operation.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let (row, window) = try windowed(inputs, in: &context)
        return try sequence(context.graph.maxPool(row, window), in: &context)
    }
}
