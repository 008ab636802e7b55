/// A convolution of each channel on its own: `y[c·m + j] = activation(x[c] ∗ kernel[c, j] + bias[c·m + j])`, with
/// m = `depthMultiplier`.
///
/// Input `(batch, height, width, channels)`, output `(batch, newHeight, newWidth, channels · depthMultiplier)`, sizes as
/// ``Padding`` has them. Variables: `kernel` (kernel height, kernel width, channels, depthMultiplier) and `bias`
/// (channels · depthMultiplier).
///
/// Source: keras/src/layers/convolutional/depthwise_conv2d.py.
public final class DepthwiseConv2D: ConvolutionLayer2D, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        DepthwiseConv2D.self, DepthwiseConv2D.init, .size("kernel_size", \.kernelSize),
        .size("strides", \.strides, default: 1), .padding(\.padding),
        .count("depth_multiplier", \.depthMultiplier, default: 1),
        .size("dilation_rate", \.dilationRate, default: 1),
        .activation(\.activation), .flag("use_bias", \.useBias, default: true),
        .initializer("depthwise_initializer", \.depthwiseInitializer, default: .glorotUniform),
        .initializer("bias_initializer", \.biasInitializer, default: .zeros),
        .regularizer("depthwise_regularizer", \.depthwiseRegularizer),
        .regularizer("bias_regularizer", \.biasRegularizer),
        .constraint("depthwise_constraint", \.depthwiseConstraint),
        .constraint("bias_constraint", \.biasConstraint), .name, fixed: [.channelsLast, .null("activity_regularizer")])

    /// The number of outputs of each channel.
    public let depthMultiplier: Int
    /// How the kernel begins.
    public let depthwiseInitializer: Initializer
    /// What is added to the loss for the size of the kernel.
    public let depthwiseRegularizer: Regularizer?
    /// What the kernel is brought back to after each step.
    public let depthwiseConstraint: Constraint?

    /// A depthwise convolution with Keras's defaults.
    public init(
        kernelSize: Size2D, strides: Size2D = 1, padding: Padding = .valid, depthMultiplier: Int = 1,
        dilationRate: Size2D = 1, activation: ActivationFunction = .linear, useBias: Bool = true,
        depthwiseInitializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros,
        depthwiseRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil,
        depthwiseConstraint: Constraint? = nil, biasConstraint: Constraint? = nil, name: String? = nil
    ) {
        (self.depthMultiplier, self.depthwiseConstraint) = (depthMultiplier, depthwiseConstraint)
        (self.depthwiseInitializer, self.depthwiseRegularizer) = (depthwiseInitializer, depthwiseRegularizer)
        super.init(
            kernelSize: kernelSize, strides: strides, padding: padding, dilationRate: dilationRate,
            activation: activation, useBias: useBias, biasInitializer: biasInitializer,
            biasRegularizer: biasRegularizer, biasConstraint: biasConstraint, name: name)
    }

    /// Makes the kernel and the bias.
    public override func build(inputShapes: [Shape]) throws(GraftError) {
        let channels = try Self.image(inputShapes).last
        let shape: Shape = [kernelSize.height, kernelSize.width, channels, depthMultiplier]
        try addKernel(
            shape, outputs: channels * depthMultiplier, depthwiseInitializer, depthwiseRegularizer,
            depthwiseConstraint)
    }

    /// Height and width as ``Padding`` has them, and `depthMultiplier` times the channels.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let image = try Self.image(inputShapes)
        let channels = kernel?.shape[2] ?? image.last
        guard image.last == channels else {
            throw GraftError(.shape, "DepthwiseConv2D was built for \(channels) channels; it was given \(image.last)")
        }
        return try outputShape(for: image, kernel: graphKernelShape(channels: channels), groups: channels)
    }

    /// A convolution with as many groups as channels, an addition and the activation.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        let channels = context.graph.shape(of: input).last
        let kernel = try context.graph.reshape(kernel(in: &context), to: graphKernelShape(channels: channels))
        return try convolve(input, kernel, groups: channels, in: &context)
    }

    private func graphKernelShape(channels: Int) -> Shape {
        [kernelSize.height, kernelSize.width, 1, channels * depthMultiplier]
    }
}
