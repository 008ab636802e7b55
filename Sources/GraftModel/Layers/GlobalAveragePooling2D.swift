/// The mean of each channel over the whole image.
///
/// Input `(batch, height, width, channels)`, output `(batch, channels)`, or `(batch, 1, 1, channels)` with `keepDims`.
/// Source: keras/src/layers/pooling/global_average_pooling2d.py.
public final class GlobalAveragePooling2D: GlobalPoolingLayer, @unchecked Sendable {  // nothing of its own
    override class var schema: LayerSchema? { table }
    private static let table = schema(GlobalAveragePooling2D.self, GlobalAveragePooling2D.init)

    /// A pooling over whole images.
    public init(keepDims: Bool = false, name: String? = nil) {
        super.init(.mean, axisCount: 2, keepDims: keepDims, name: name)
    }
}
