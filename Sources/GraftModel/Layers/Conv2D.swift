/// A convolution of an image: `y = activation(x ∗ kernel + bias)`.
///
/// Input `(batch, height, width, channels)`, output `(batch, newHeight, newWidth, filters)`, sizes as ``Padding`` has
/// them. Variables: `kernel` (kernel height, kernel width, channels / groups, filters) and `bias` (filters).
///
/// Source: keras/src/layers/convolutional/conv2d.py.
public final class Conv2D: ConvolutionLayer2D, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        Conv2D.self, Conv2D.init, .count("filters", \.filters),
        .size("kernel_size", \.kernelSize), .size("strides", \.strides, default: 1),
        .padding(\.padding),
        .size("dilation_rate", \.dilationRate, default: 1),
        .count("groups", \.groups, default: 1),
        .activation(\.activation), .flag("use_bias", \.useBias, default: true),
        .initializer("kernel_initializer", \.kernelInitializer, default: .glorotUniform),
        .initializer("bias_initializer", \.biasInitializer, default: .zeros),
        .regularizer("kernel_regularizer", \.kernelRegularizer),
        .regularizer("bias_regularizer", \.biasRegularizer), .constraint("kernel_constraint", \.kernelConstraint),
        .constraint("bias_constraint", \.biasConstraint), .name, fixed: [.channelsLast, .null("activity_regularizer")])

    /// The number of output channels.
    public let filters: Int
    /// The number of parts that the channels are divided into, each with filters of its own.
    public let groups: Int
    /// How the kernel begins.
    public let kernelInitializer: Initializer
    /// What is added to the loss for the size of the kernel.
    public let kernelRegularizer: Regularizer?
    /// What the kernel is brought back to after each step.
    public let kernelConstraint: Constraint?

    /// A convolution with Keras's defaults.
    public init(
        _ filters: Int, kernelSize: Size2D, strides: Size2D = 1, padding: Padding = .valid, dilationRate: Size2D = 1,
        groups: Int = 1, activation: ActivationFunction = .linear, useBias: Bool = true,
        kernelInitializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros,
        kernelRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil,
        kernelConstraint: Constraint? = nil, biasConstraint: Constraint? = nil, name: String? = nil
    ) {
        (self.filters, self.groups) = (filters, groups)
        (self.kernelInitializer, self.kernelRegularizer) = (kernelInitializer, kernelRegularizer)
        self.kernelConstraint = kernelConstraint
        super.init(
            kernelSize: kernelSize, strides: strides, padding: padding, dilationRate: dilationRate,
            activation: activation, useBias: useBias, biasInitializer: biasInitializer,
            biasRegularizer: biasRegularizer, biasConstraint: biasConstraint, name: name)
    }

    /// Sizes and counts must be positive, and groups must divide the filters.
    public override func checkArguments() throws(GraftError) {
        try super.checkArguments()
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
        try addKernel(shape, outputs: filters, kernelInitializer, kernelRegularizer, kernelConstraint)
    }

    /// Height and width as ``Padding`` has them, and the filters.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let image = try Self.image(inputShapes)
        let kernel: Shape = [kernelSize.height, kernelSize.width, kernel?.shape[2] ?? image.last / groups, filters]
        return try outputShape(for: image, kernel: kernel, groups: groups)
    }

    /// A convolution, an addition and the activation.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try convolve(Self.only(inputs), kernel(in: &context), groups: groups, in: &context)
    }
}
