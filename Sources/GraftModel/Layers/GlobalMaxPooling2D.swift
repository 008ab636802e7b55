/// The largest element of each channel over the whole image.
///
/// Input `(batch, height, width, channels)`, output `(batch, channels)`, or `(batch, 1, 1, channels)` with `keepDims`.
/// Source: keras/src/layers/pooling/global_max_pooling2d.py.
public final class GlobalMaxPooling2D: GlobalPoolingLayer, @unchecked Sendable {  // nothing of its own
    override class var schema: LayerSchema? { table }
    private static let table = schema(GlobalMaxPooling2D.self, GlobalMaxPooling2D.init)

    /// A pooling over whole images.
    public init(keepDims: Bool = false, name: String? = nil) {
        super.init(.maximum, axisCount: 2, keepDims: keepDims, name: name)
    }
}
