/// The mean of each channel over the whole sequence.
///
/// Input `(batch, steps, channels)`, output `(batch, channels)`, or `(batch, 1, channels)` with `keepDims`.
/// Source: keras/src/layers/pooling/global_average_pooling1d.py.
public final class GlobalAveragePooling1D: GlobalPoolingLayer, @unchecked Sendable {  // nothing of its own
    override class var schema: LayerSchema? { table }
    private static let table = schema(GlobalAveragePooling1D.self, GlobalAveragePooling1D.init)

    /// A pooling over whole sequences.
    public init(keepDims: Bool = false, name: String? = nil) {
        super.init(.mean, axisCount: 1, keepDims: keepDims, name: name)
    }
}
