/// A convolution turned round, which makes images larger: `y = activation(xᵀ∗ kernel + bias)`, where each pixel adds the
/// kernel times itself to the places of the output that a convolution would have read for it.
///
/// Input `(batch, height, width, channels)`, output `(batch, newHeight, newWidth, filters)`. Along an axis of size n, for a
/// kernel of size k, a stride s and a dilation d, with e = (k − 1)·d + 1 and an output padding p:
/// - `valid`: (n − 1)·s + e + p, where p is max(s − e, 0) if none is given
/// - `same`: n·s, or (n − 1)·s + (e mod 2) + p where an output padding is given
///
/// Variables: `kernel` (kernel height, kernel width, filters, channels) and `bias` (filters).
///
/// Source: keras/src/layers/convolutional/conv2d_transpose.py; keras/src/backend/common/backend_utils.py,
/// `compute_conv_transpose_output_shape`; tf.nn.conv_transpose.
public final class Conv2DTranspose: KernelLayer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        Conv2DTranspose.self, Conv2DTranspose.init, .count("filters", \.filters),
        .size("kernel_size", \.kernelSize), .size("strides", \.strides, default: 1), .padding(\.padding),
        .plain("output_padding", \.outputPadding, default: .some(nil)),
        .size("dilation_rate", \.dilationRate, default: 1),
        .activation(\.activation), .flag("use_bias", \.useBias, default: true),
        .initializer("kernel_initializer", \.kernelInitializer, default: .glorotUniform),
        .initializer("bias_initializer", \.biasInitializer, default: .zeros),
        .regularizer("kernel_regularizer", \.kernelRegularizer),
        .regularizer("bias_regularizer", \.biasRegularizer), .constraint("kernel_constraint", \.kernelConstraint),
        .constraint("bias_constraint", \.biasConstraint), .name, fixed: [.channelsLast, .null("activity_regularizer")])

    /// The number of output channels.
    public let filters: Int
    /// The kernel's height and width.
    public let kernelSize: Size2D
    /// How far the places of neighbouring pixels are apart in the output.
    public let strides: Size2D
    /// What happens at the edges.
    public let padding: Padding
    /// What is added to the output's size; less than the strides.
    public let outputPadding: Size2D?
    /// The distance between the kernel's elements.
    public let dilationRate: Size2D
    /// How the kernel begins.
    public let kernelInitializer: Initializer
    /// What is added to the loss for the size of the kernel.
    public let kernelRegularizer: Regularizer?
    /// What the kernel is brought back to after each step.
    public let kernelConstraint: Constraint?

    /// A transposed convolution with Keras's defaults.
    public init(
        _ filters: Int, kernelSize: Size2D, strides: Size2D = 1, padding: Padding = .valid,
        outputPadding: Size2D? = nil, dilationRate: Size2D = 1, activation: ActivationFunction = .linear,
        useBias: Bool = true, kernelInitializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros,
        kernelRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil,
        kernelConstraint: Constraint? = nil, biasConstraint: Constraint? = nil, name: String? = nil
    ) {
        (self.filters, self.kernelSize, self.strides, self.padding) = (filters, kernelSize, strides, padding)
        (self.outputPadding, self.dilationRate) = (outputPadding, dilationRate)
        (self.kernelInitializer, self.kernelRegularizer) = (kernelInitializer, kernelRegularizer)
        self.kernelConstraint = kernelConstraint
        super.init(
            activation: activation, useBias: useBias, biasInitializer: biasInitializer,
            biasRegularizer: biasRegularizer, biasConstraint: biasConstraint, name: name)
    }

    /// Sizes and counts must be positive, the output padding below the strides, and one of strides and dilations 1.
    public override func checkArguments() throws(GraftError) {
        try super.checkArguments()
        if let outputPadding {
            let fits =
                (0..<strides.height).contains(outputPadding.height) && (0..<strides.width).contains(outputPadding.width)
            guard fits else {
                throw GraftError(
                    .argument,
                    "Conv2DTranspose: the output padding \(outputPadding) must be below the strides \(strides)")
            }
        }
        guard max(strides.height, strides.width) == 1 || max(dilationRate.height, dilationRate.width) == 1 else {
            throw GraftError(
                .argument,
                "Conv2DTranspose: strides \(strides) and dilations \(dilationRate) cannot both be above 1")
        }
    }

    /// Makes the kernel and the bias.
    public override func build(inputShapes: [Shape]) throws(GraftError) {
        let channels = try Self.image(inputShapes).last
        try addKernel(
            [kernelSize.height, kernelSize.width, filters, channels], outputs: filters, kernelInitializer,
            kernelRegularizer, kernelConstraint)
    }

    /// Height and width as the formula has them, and the filters.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let image = try Self.image(inputShapes)
        if let kernel, kernel.shape[3] != image.last {
            throw GraftError(
                .shape, "Conv2DTranspose was built for \(kernel.shape[3]) channels; it was given \(image.last)")
        }
        let height = outputSize(
            image[0], kernelSize.height, strides.height, dilationRate.height, outputPadding?.height)
        let width = outputSize(image[1], kernelSize.width, strides.width, dilationRate.width, outputPadding?.width)
        let shape: Shape = [height, width, filters]
        guard shape.hasSensibleSize, shape.dimensions.allSatisfy({ $0 > 0 }) else {
            throw GraftError(
                .shape, "Conv2DTranspose: \(image.batchDescription) would become \(shape.batchDescription)")
        }
        return shape
    }

    private func outputSize(_ size: Int, _ kernel: Int, _ stride: Int, _ dilation: Int, _ added: Int?) -> Int {
        // All four are at most 2²⁴ and an image's size at most 2³⁶: nothing overflows.
        let extent = (kernel - 1) * dilation + 1
        switch (padding, added) {
        case (.valid, let added): return (size - 1) * stride + extent + (added ?? max(stride - extent, 0))
        case (.same, nil): return size * stride
        case (.same, let added?): return (size - 1) * stride + extent % 2 + added
        }
    }

    /// The gradient of a convolution, an addition and the activation.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        let shape = context.graph.shape(of: input)
        let output = try outputShape(for: [Shape(Array(shape.dimensions.dropFirst()))])
        let edges = padding.edges(
            height: output[0], width: output[1], window: kernelSize, strides: strides, dilation: dilationRate)
        let convolution = Convolution(strides: strides, dilation: dilationRate, padding: edges)
        let result = Shape([shape[0]] + output.dimensions)
        let product = try context.graph.add(
            .convolution(.inputGradient(convolution, input: result)), [input, kernel(in: &context)])
        return try activation.lower(addBias(product, in: &context), in: &context)
    }
}
