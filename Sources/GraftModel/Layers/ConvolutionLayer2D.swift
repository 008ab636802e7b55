/// What the convolutions of images share.
///
/// Source: keras/src/layers/convolutional/base_conv.py, base_depthwise_conv.py.
public class ConvolutionLayer2D: KernelLayer, @unchecked Sendable {  // constants only; `Layer` guards its own
    /// The kernel's height and width.
    public let kernelSize: Size2D
    /// The step between outputs.
    public let strides: Size2D
    /// What happens at the edges.
    public let padding: Padding
    /// The distance between the kernel's elements.
    public let dilationRate: Size2D

    init(
        kernelSize: Size2D, strides: Size2D, padding: Padding, dilationRate: Size2D, activation: ActivationFunction,
        useBias: Bool, biasInitializer: Initializer, biasRegularizer: Regularizer?,
        biasConstraint: Constraint? = nil, name: String?
    ) {
        (self.kernelSize, self.strides) = (kernelSize, strides)
        (self.padding, self.dilationRate) = (padding, dilationRate)
        super.init(
            activation: activation, useBias: useBias, biasInitializer: biasInitializer,
            biasRegularizer: biasRegularizer, biasConstraint: biasConstraint, name: name)
    }

    /// The output for an image and a kernel of these shapes.
    final func outputShape(for image: Shape, kernel: Shape, groups: Int) throws(GraftError) -> Shape {
        let operation = convolution(for: image, groups: groups)
        let result = try operation.resultShape(input: Shape([1] + image.dimensions), kernel: kernel)
        return Shape(Array(result.dimensions.dropFirst()))
    }

    /// A convolution, an addition and the activation.
    final func convolve(
        _ input: ValueID, _ kernel: ValueID, groups: Int, in context: inout LoweringContext
    ) throws(GraftError) -> ValueID {
        let product = try product(input, kernel, groups: groups, in: &context)
        return try activation.lower(addBias(product, in: &context), in: &context)
    }

    /// A convolution alone.
    final func product(
        _ input: ValueID, _ kernel: ValueID, groups: Int, in context: inout LoweringContext
    ) throws(GraftError) -> ValueID {
        let image = Shape(Array(context.graph.shape(of: input).dimensions.dropFirst()))
        return try context.graph.convolution(input, kernel: kernel, convolution(for: image, groups: groups))
    }

    private func convolution(for image: Shape, groups: Int) -> Convolution {
        let edges = padding.edges(
            height: image[0], width: image[1], window: kernelSize, strides: strides, dilation: dilationRate)
        return Convolution(strides: strides, dilation: dilationRate, padding: edges, groups: groups)
    }
}
