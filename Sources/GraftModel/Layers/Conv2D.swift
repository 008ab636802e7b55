/// A convolution of an image: `y = activation(x ∗ kernel + bias)`.
///
/// Input `(batch, height, width, channels)`, output `(batch, newHeight, newWidth, filters)`, sizes as ``Padding`` has
/// them. Variables: `kernel` (kernel height, kernel width, channels / groups, filters) and `bias` (filters).
///
/// Source: keras/src/layers/convolutional/conv2d.py, base_conv.py.
public final class Conv2D: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    /// Keras's name.
    public override class var className: String { "Conv2D" }
    /// The number of output channels.
    public let filters: Int
    /// The kernel's height and width.
    public let kernelSize: Size2D
    /// The step between outputs.
    public let strides: Size2D
    /// What happens at the edges.
    public let padding: Padding
    /// The distance between the kernel's elements.
    public let dilationRate: Size2D
    /// The number of parts that the channels are divided into, each with filters of its own.
    public let groups: Int
    /// What is applied last.
    public let activation: ActivationFunction
    /// Whether a bias is added.
    public let useBias: Bool
    /// How the kernel begins.
    public let kernelInitializer: Initializer
    /// How the bias begins.
    public let biasInitializer: Initializer
    /// What is added to the loss for the size of the kernel.
    public let kernelRegularizer: Regularizer?
    /// What is added to the loss for the size of the bias.
    public let biasRegularizer: Regularizer?

    /// A convolution with Keras's defaults.
    public init(
        _ filters: Int, kernelSize: Size2D, strides: Size2D = 1, padding: Padding = .valid, dilationRate: Size2D = 1,
        groups: Int = 1, activation: ActivationFunction = .linear, useBias: Bool = true,
        kernelInitializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros,
        kernelRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil, name: String? = nil
    ) {
        (self.kernelRegularizer, self.biasRegularizer) = (kernelRegularizer, biasRegularizer)
        (self.filters, self.kernelSize, self.strides, self.padding) = (filters, kernelSize, strides, padding)
        (self.dilationRate, self.groups, self.activation) = (dilationRate, groups, activation)
        (self.useBias, self.kernelInitializer, self.biasInitializer) = (useBias, kernelInitializer, biasInitializer)
        super.init(name: name)
    }

    /// The kernel; `nil` before the layer is built.
    public var kernel: Variable? { variable(named: "kernel") }

    /// The bias; `nil` before the layer is built, or where it has none.
    public var bias: Variable? { variable(named: "bias") }

    /// Sizes and counts must be positive, and groups must divide the filters.
    public override func checkArguments() throws(GraftError) {
        try check(filters, "filters")
        try check(kernelSize, "kernel_size")
        try check(strides, "strides")
        try check(dilationRate, "dilation_rate")
        try check(groups, "groups")
        guard filters % groups == 0 else {
            throw GraftError(.argument, "Conv2D: \(filters) filters cannot be divided into \(groups) groups")
        }
    }

    /// Makes the kernel and the bias.
    public override func build(inputShapes: [Shape]) throws(GraftError) {
        let channels = try Self.image(inputShapes).last
        guard channels % groups == 0 else {
            throw GraftError(.shape, "Conv2D: \(channels) input channels cannot be divided into \(groups) groups")
        }
        let shape: Shape = [kernelSize.height, kernelSize.width, channels / groups, filters]
        try addVariable("kernel", shape: shape, initializer: kernelInitializer, regularizer: kernelRegularizer)
        if useBias {
            try addVariable("bias", shape: [filters], initializer: biasInitializer, regularizer: biasRegularizer)
        }
    }

    /// Height and width as ``Padding`` has them, and the filters.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let image = try Self.image(inputShapes)
        let kernel: Shape = [kernelSize.height, kernelSize.width, kernel?.shape[2] ?? image.last / groups, filters]
        let result = try convolution(for: image).resultShape(input: Shape([1] + image.dimensions), kernel: kernel)
        return Shape(Array(result.dimensions.dropFirst()))
    }

    /// A convolution, an addition and the activation.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        let image = Shape(Array(context.graph.shape(of: input).dimensions.dropFirst()))
        let kernel = try context.value(of: requireVariable("kernel"))
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
            "filters": .int(filters), "kernel_size": kernelSize.configuration, "strides": strides.configuration,
            "padding": .string(padding.rawValue), "data_format": "channels_last",
            "dilation_rate": dilationRate.configuration, "groups": .int(groups),
            "activation": activation.configuration, "use_bias": .bool(useBias),
            "kernel_initializer": kernelInitializer.configuration, "bias_initializer": biasInitializer.configuration,
            "kernel_regularizer": kernelRegularizer.configuration, "bias_regularizer": biasRegularizer.configuration,
            "activity_regularizer": nil, "kernel_constraint": nil,
            "bias_constraint": nil,
        ]
    }

    private func convolution(for image: Shape) -> Convolution {
        let edges = padding.edges(
            height: image[0], width: image[1], window: kernelSize, strides: strides, dilation: dilationRate)
        return Convolution(strides: strides, dilation: dilationRate, padding: edges, groups: groups)
    }
}

extension Conv2D {
    /// From Keras's configuration.
    convenience init(from reader: inout ConfigurationReader) throws(GraftError) {
        try self.init(
            reader.integer("filters"), kernelSize: reader.size("kernel_size"),
            strides: reader.size("strides", default: 1),
            padding: reader.padding(), dilationRate: reader.size("dilation_rate", default: 1),
            groups: reader.integer("groups", default: 1), activation: reader.activation(),
            useBias: reader.flag("use_bias", default: true),
            kernelInitializer: reader.initializer("kernel_initializer", default: .glorotUniform),
            biasInitializer: reader.initializer("bias_initializer", default: .zeros),
            kernelRegularizer: reader.regularizer("kernel_regularizer"),
            biasRegularizer: reader.regularizer("bias_regularizer"), name: reader.name)
        try reader.require("data_format", "channels_last")
        try reader.requireNull(
            "activity_regularizer", "kernel_constraint", "bias_constraint")
    }
}
