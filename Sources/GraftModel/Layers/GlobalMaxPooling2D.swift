/// The largest element of each channel over the whole image.
///
/// Input `(batch, height, width, channels)`, output `(batch, channels)`, or `(batch, 1, 1, channels)` with `keepDims`.
/// Source: keras/src/layers/pooling/global_max_pooling2d.py.
public final class GlobalMaxPooling2D: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    /// Keras's name.
    public override class var className: String { "GlobalMaxPooling2D" }
    /// Whether height and width stay, with size 1.
    public let keepDims: Bool

    /// A pooling over whole images.
    public init(keepDims: Bool = false, name: String? = nil) {
        self.keepDims = keepDims
        super.init(name: name)
    }

    /// The channels.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let channels = try Self.image(inputShapes).last
        return keepDims ? [1, 1, channels] : [channels]
    }

    /// One reduction.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try context.graph.reduce(.maximum, Self.only(inputs), axes: [1, 2], keepDimensions: keepDims)
    }

    /// Keras's arguments.
    public override var arguments: [String: Configuration] {
        ["data_format": "channels_last", "keepdims": .bool(keepDims)]
    }
}

extension GlobalMaxPooling2D {
    /// From Keras's configuration.
    convenience init(from reader: inout ConfigurationReader) throws(GraftError) {
        try self.init(keepDims: reader.flag("keepdims", default: false), name: reader.name)
        try reader.require("data_format", "channels_last")
    }
}
