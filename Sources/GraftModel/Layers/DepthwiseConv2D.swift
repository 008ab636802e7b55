/// A convolution of each channel on its own: `y[c·m + j] = activation(x[c] ∗ kernel[c, j] + bias[c·m + j])`, with
/// m = `depthMultiplier`.
///
/// Input `(batch, height, width, channels)`, output `(batch, newHeight, newWidth, channels · depthMultiplier)`, sizes as
/// ``Padding`` has them. Variables: `kernel` (kernel height, kernel width, channels, depthMultiplier) and `bias`
/// (channels · depthMultiplier).
///
/// Source: keras/src/layers/convolutional/depthwise_conv2d.py, base_depthwise_conv.py.
public final class DepthwiseConv2D: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    /// Keras's name.
    public override class var className: String { "DepthwiseConv2D" }
    /// The kernel's height and width.
    public let kernelSize: Size2D
    /// The step between outputs.
    public let strides: Size2D
    /// What happens at the edges.
    public let padding: Padding
    /// The number of outputs of each channel.
    public let depthMultiplier: Int
    /// The distance between the kernel's elements.
    public let dilationRate: Size2D
    /// What is applied last.
    public let activation: ActivationFunction
    /// Whether a bias is added.
    public let useBias: Bool
    /// How the kernel begins.
    public let depthwiseInitializer: Initializer
    /// How the bias begins.
    public let biasInitializer: Initializer
    /// What is added to the loss for the size of the kernel.
    public let depthwiseRegularizer: Regularizer?
    /// What is added to the loss for the size of the bias.
    public let biasRegularizer: Regularizer?

    /// A depthwise convolution with Keras's defaults.
    public init(
        kernelSize: Size2D, strides: Size2D = 1, padding: Padding = .valid, depthMultiplier: Int = 1,
        dilationRate: Size2D = 1, activation: ActivationFunction = .linear, useBias: Bool = true,
        depthwiseInitializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros,
        depthwiseRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil, name: String? = nil
    ) {
        (self.depthwiseRegularizer, self.biasRegularizer) = (depthwiseRegularizer, biasRegularizer)
        (self.kernelSize, self.strides, self.padding) = (kernelSize, strides, padding)
        (self.depthMultiplier, self.dilationRate, self.activation) = (depthMultiplier, dilationRate, activation)
        (self.useBias, self.depthwiseInitializer) = (useBias, depthwiseInitializer)
        self.biasInitializer = biasInitializer
        super.init(name: name)
    }

    /// The kernel; `nil` before the layer is built.
    public var kernel: Variable? { variable(named: "kernel") }

    /// The bias; `nil` before the layer is built, or where it has none.
    public var bias: Variable? { variable(named: "bias") }

    /// Sizes and counts must be positive.
    public override func checkArguments() throws(GraftError) {
        try check(kernelSize, "kernel_size")
        try check(strides, "strides")
        try check(dilationRate, "dilation_rate")
        try check(depthMultiplier, "depth_multiplier")
    }

    /// Makes the kernel and the bias.
    public override func build(inputShapes: [Shape]) throws(GraftError) {
        let channels = try Self.image(inputShapes).last
        let shape: Shape = [kernelSize.height, kernelSize.width, channels, depthMultiplier]
        try addVariable("kernel", shape: shape, initializer: depthwiseInitializer, regularizer: depthwiseRegularizer)
        if useBias {
            try addVariable(
                "bias", shape: [channels * depthMultiplier], initializer: biasInitializer, regularizer: biasRegularizer)
        }
    }

    /// Height and width as ``Padding`` has them, and `depthMultiplier` times the channels.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let image = try Self.image(inputShapes)
        let channels = kernel?.shape[2] ?? image.last
        guard image.last == channels else {
            throw GraftError(.shape, "DepthwiseConv2D was built for \(channels) channels; it was given \(image.last)")
        }
        let kernel = graphKernelShape(channels: channels)
        let result = try convolution(for: image).resultShape(input: Shape([1] + image.dimensions), kernel: kernel)
        return Shape(Array(result.dimensions.dropFirst()))
    }

    /// A convolution with as many groups as channels, an addition and the activation.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        let image = Shape(Array(context.graph.shape(of: input).dimensions.dropFirst()))
        let kernel = try context.graph.reshape(
            context.value(of: requireVariable("kernel")), to: graphKernelShape(channels: image.last))
        var value = try context.graph.convolution(input, kernel: kernel, convolution(for: image))
        if useBias {
            let bias = try context.value(of: requireVariable("bias"))
            value = try context.graph.binary(.add, value, bias)
        }
        return try activation.lower(value, in: &context)
    }

    /// Keras's arguments.
    public override var arguments: [String: Configuration] {
        [
            "depth_multiplier": .int(depthMultiplier), "kernel_size": kernelSize.configuration,
            "strides": strides.configuration, "padding": .string(padding.rawValue), "data_format": "channels_last",
            "dilation_rate": dilationRate.configuration, "activation": activation.configuration,
            "use_bias": .bool(useBias), "depthwise_initializer": depthwiseInitializer.configuration,
            "bias_initializer": biasInitializer.configuration,
            "depthwise_regularizer": depthwiseRegularizer.configuration,
            "bias_regularizer": biasRegularizer.configuration,
            "activity_regularizer": nil, "depthwise_constraint": nil, "bias_constraint": nil,
        ]
    }

    private func graphKernelShape(channels: Int) -> Shape {
        [kernelSize.height, kernelSize.width, 1, channels * depthMultiplier]
    }

    private func convolution(for image: Shape) -> Convolution {
        let edges = padding.edges(
            height: image[0], width: image[1], window: kernelSize, strides: strides, dilation: dilationRate)
        return Convolution(strides: strides, dilation: dilationRate, padding: edges, groups: image.last)
    }
}

extension DepthwiseConv2D {
    /// From Keras's configuration.
    convenience init(from reader: inout ConfigurationReader) throws(GraftError) {
        try self.init(
            kernelSize: reader.size("kernel_size"), strides: reader.size("strides", default: 1),
            padding: reader.padding(), depthMultiplier: reader.integer("depth_multiplier", default: 1),
            dilationRate: reader.size("dilation_rate", default: 1), activation: reader.activation(),
            useBias: reader.flag("use_bias", default: true),
            depthwiseInitializer: reader.initializer("depthwise_initializer", default: .glorotUniform),
            biasInitializer: reader.initializer("bias_initializer", default: .zeros),
            depthwiseRegularizer: reader.regularizer("depthwise_regularizer"),
            biasRegularizer: reader.regularizer("bias_regularizer"), name: reader.name)
        try reader.require("data_format", "channels_last")
        try reader.requireNull(
            "activity_regularizer", "depthwise_constraint",
            "bias_constraint")
    }
}
