/// The largest element of each channel over the whole sequence.
///
/// Input `(batch, steps, channels)`, output `(batch, channels)`, or `(batch, 1, channels)` with `keepDims`.
/// Source: keras/src/layers/pooling/global_max_pooling1d.py.
public final class GlobalMaxPooling1D: GlobalPoolingLayer, @unchecked Sendable {  // nothing of its own
    override class var schema: LayerSchema? { table }
    private static let table = schema(GlobalMaxPooling1D.self, GlobalMaxPooling1D.init)

    /// A pooling over whole sequences.
    public init(keepDims: Bool = false, name: String? = nil) {
        super.init(.maximum, axisCount: 1, keepDims: keepDims, name: name)
    }
}
