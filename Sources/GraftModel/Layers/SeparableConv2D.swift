/// A convolution of each channel on its own, then one of 1 × 1 that mixes them:
/// `y = activation((x ∗ depthwise_kernel) ∗ pointwise_kernel + bias)`.
///
/// Input `(batch, height, width, channels)`, output `(batch, newHeight, newWidth, filters)`, sizes as ``Padding`` has
/// them. Variables: `depthwise_kernel` (kernel height, kernel width, channels, depthMultiplier), `pointwise_kernel`
/// (1, 1, channels · depthMultiplier, filters) and `bias` (filters). Nothing comes between the two convolutions.
///
/// Source: keras/src/layers/convolutional/separable_conv2d.py.
public final class SeparableConv2D: ConvolutionLayer2D, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        SeparableConv2D.self, SeparableConv2D.init, .count("filters", \.filters),
        .size("kernel_size", \.kernelSize), .size("strides", \.strides, default: 1), .padding(\.padding),
        .size("dilation_rate", \.dilationRate, default: 1),
        .count("depth_multiplier", \.depthMultiplier, default: 1),
        .activation(\.activation), .flag("use_bias", \.useBias, default: true),
        .initializer("depthwise_initializer", \.depthwiseInitializer, default: .glorotUniform),
        .initializer("pointwise_initializer", \.pointwiseInitializer, default: .glorotUniform),
        .initializer("bias_initializer", \.biasInitializer, default: .zeros),
        .regularizer("depthwise_regularizer", \.depthwiseRegularizer),
        .regularizer("pointwise_regularizer", \.pointwiseRegularizer),
        .regularizer("bias_regularizer", \.biasRegularizer), .name,
        fixed: [
            .channelsLast,
            .null("activity_regularizer", "depthwise_constraint", "pointwise_constraint", "bias_constraint"),
        ])

    /// The number of output channels.
    public let filters: Int
    /// The number of outputs of each channel, before they are mixed.
    public let depthMultiplier: Int
    /// How the kernel of the channels begins.
    public let depthwiseInitializer: Initializer
    /// How the kernel that mixes them begins.
    public let pointwiseInitializer: Initializer
    /// What is added to the loss for the size of the kernel of the channels.
    public let depthwiseRegularizer: Regularizer?
    /// What is added to the loss for the size of the kernel that mixes them.
    public let pointwiseRegularizer: Regularizer?

    /// A separable convolution with Keras's defaults.
    public init(
        _ filters: Int, kernelSize: Size2D, strides: Size2D = 1, padding: Padding = .valid, dilationRate: Size2D = 1,
        depthMultiplier: Int = 1, activation: ActivationFunction = .linear, useBias: Bool = true,
        depthwiseInitializer: Initializer = .glorotUniform, pointwiseInitializer: Initializer = .glorotUniform,
        biasInitializer: Initializer = .zeros, depthwiseRegularizer: Regularizer? = nil,
        pointwiseRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil, name: String? = nil
    ) {
        (self.filters, self.depthMultiplier) = (filters, depthMultiplier)
        (self.depthwiseInitializer, self.pointwiseInitializer) = (depthwiseInitializer, pointwiseInitializer)
        (self.depthwiseRegularizer, self.pointwiseRegularizer) = (depthwiseRegularizer, pointwiseRegularizer)
        super.init(
            kernelSize: kernelSize, strides: strides, padding: padding, dilationRate: dilationRate,
            activation: activation, useBias: useBias, biasInitializer: biasInitializer,
            biasRegularizer: biasRegularizer, name: name)
    }

    /// Makes both kernels and the bias.
    public override func build(inputShapes: [Shape]) throws(GraftError) {
        let channels = try Self.image(inputShapes).last
        try addVariable(
            "depthwise_kernel", shape: [kernelSize.height, kernelSize.width, channels, depthMultiplier],
            initializer: depthwiseInitializer, regularizer: depthwiseRegularizer)
        try addVariable(
            "pointwise_kernel", shape: [1, 1, channels * depthMultiplier, filters], initializer: pointwiseInitializer,
            regularizer: pointwiseRegularizer)
        guard useBias else { return }
        try addVariable("bias", shape: [filters], initializer: biasInitializer, regularizer: biasRegularizer)
    }

    /// Height and width as ``Padding`` has them, and the filters.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let image = try Self.image(inputShapes)
        let channels = variable(named: "depthwise_kernel")?.shape[2] ?? image.last
        guard image.last == channels else {
            throw GraftError(.shape, "SeparableConv2D was built for \(channels) channels; it was given \(image.last)")
        }
        let filtered = try outputShape(for: image, kernel: graphKernelShape(channels: channels), groups: channels)
        return [filtered[0], filtered[1], filters]
    }

    /// A convolution with as many groups as channels, a convolution of 1 × 1, an addition and the activation.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        let channels = context.graph.shape(of: input).last
        let depthwise = try context.graph.reshape(
            context.value(of: requireVariable("depthwise_kernel")), to: graphKernelShape(channels: channels))
        let pointwise = try context.value(of: requireVariable("pointwise_kernel"))
        let filtered = try product(input, depthwise, groups: channels, in: &context)
        let mixed = try context.graph.convolution(filtered, kernel: pointwise, Convolution())
        return try activation.lower(addBias(mixed, in: &context), in: &context)
    }

    private func graphKernelShape(channels: Int) -> Shape {
        [kernelSize.height, kernelSize.width, 1, channels * depthMultiplier]
    }
}
