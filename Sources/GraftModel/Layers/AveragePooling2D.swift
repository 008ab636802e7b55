/// The mean of each window, channel by channel, over the elements that are not padding.
///
/// Input `(batch, height, width, channels)`, output `(batch, newHeight, newWidth, channels)`, sizes as ``Padding`` has
/// them. Source: keras/src/layers/pooling/average_pooling2d.py, base_pooling.py.
public final class AveragePooling2D: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    /// Keras's name.
    public override class var className: String { "AveragePooling2D" }
    /// The window and the edges.
    let pooling: Pooling2D

    /// A pooling with Keras's defaults; the strides are the window's size where they are not given.
    public init(poolSize: Size2D = 2, strides: Size2D? = nil, padding: Padding = .valid, name: String? = nil) {
        pooling = Pooling2D(poolSize: poolSize, strides: strides ?? poolSize, padding: padding)
        super.init(name: name)
    }

    /// The window's size.
    public var poolSize: Size2D { pooling.poolSize }
    /// The step between windows.
    public var strides: Size2D { pooling.strides }
    /// What happens at the edges.
    public var padding: Padding { pooling.padding }

    /// Sizes must be positive.
    public override func checkArguments() throws(GraftError) {
        try check(poolSize, "pool_size")
        try check(strides, "strides")
    }

    /// Height and width as ``Padding`` has them, and the channels.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        try pooling.outputShape(for: Self.image(inputShapes))
    }

    /// One pooling operation.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        return try context.graph.averagePool(input, pooling.window(for: context.graph.shape(of: input)))
    }

    /// Keras's arguments.
    public override var arguments: [String: Configuration] { pooling.arguments }
}

extension AveragePooling2D {
    /// From Keras's configuration.
    convenience init(from reader: inout ConfigurationReader) throws(GraftError) {
        let pooling = try Pooling2D(from: &reader)
        self.init(poolSize: pooling.poolSize, strides: pooling.strides, padding: pooling.padding, name: reader.name)
    }
}
