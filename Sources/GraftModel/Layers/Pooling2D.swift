/// What the two pooling layers share.
struct Pooling2D {
    let poolSize: Size2D
    let strides: Size2D
    let padding: Padding

    init(poolSize: Size2D, strides: Size2D, padding: Padding) {
        (self.poolSize, self.strides, self.padding) = (poolSize, strides, padding)
    }

    /// From Keras's configuration.
    init(from reader: inout ConfigurationReader) throws(GraftError) {
        let poolSize = try reader.size("pool_size", default: 2)
        self.init(
            poolSize: poolSize, strides: try reader.size("strides", default: poolSize), padding: try reader.padding())
        try reader.require("data_format", "channels_last")
    }

    /// Keras's arguments.
    var arguments: [String: Configuration] {
        [
            "pool_size": poolSize.configuration, "padding": .string(padding.rawValue),
            "strides": strides.configuration, "data_format": "channels_last",
        ]
    }

    /// The output for an image of this shape, without the batch axis.
    func outputShape(for image: Shape) throws(GraftError) -> Shape {
        let input = Shape([1] + image.dimensions)
        return Shape(Array(try window(for: input).resultShape(input: input).dimensions.dropFirst()))
    }

    /// The operation's window for an NHWC input.
    func window(for input: Shape) -> Window {
        let edges = padding.edges(height: input[1], width: input[2], window: poolSize, strides: strides)
        return Window(size: poolSize, strides: strides, padding: edges)
    }
}
