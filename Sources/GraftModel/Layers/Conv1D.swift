/// A convolution of a sequence: `y = activation(x ∗ kernel + bias)`.
///
/// Input `(batch, steps, channels)`, output `(batch, newSteps, filters)`, sizes as ``Padding`` has them; with `causal` as
/// many steps as go in (divided by the stride), each made of those up to itself. Variables: `kernel` (kernel size,
/// channels / groups, filters) and `bias` (filters).
///
/// Source: keras/src/layers/convolutional/conv1d.py.
public final class Conv1D: KernelLayer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        Conv1D.self, Conv1D.init, .count("filters", \.filters), .length("kernel_size", \.kernelSize),
        .length("strides", \.strides, default: 1), .plain("padding", \.padding, default: .valid),
        .length("dilation_rate", \.dilationRate, default: 1), .count("groups", \.groups, default: 1),
        .activation(\.activation), .flag("use_bias", \.useBias, default: true),
        .initializer("kernel_initializer", \.kernelInitializer, default: .glorotUniform),
        .initializer("bias_initializer", \.biasInitializer, default: .zeros),
        .regularizer("kernel_regularizer", \.kernelRegularizer),
        .regularizer("bias_regularizer", \.biasRegularizer), .constraint("kernel_constraint", \.kernelConstraint),
        .constraint("bias_constraint", \.biasConstraint), .name, fixed: [.channelsLast, .null("activity_regularizer")])

    /// What happens at the ends of a sequence.
    public enum Ends: String, Hashable, Sendable, CaseIterable {
        /// The window stays inside.
        case valid
        /// As many steps as go in, divided by the stride.
        case same
        /// The same, and no step is made of a later one.
        case causal
    }

    /// The number of output channels.
    public let filters: Int
    /// The steps that make one.
    public let kernelSize: Int
    /// The step between outputs.
    public let strides: Int
    /// What happens at the ends.
    public let padding: Ends
    /// The distance between the kernel's elements.
    public let dilationRate: Int
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
        _ filters: Int, kernelSize: Int, strides: Int = 1, padding: Ends = .valid, dilationRate: Int = 1,
        groups: Int = 1, activation: ActivationFunction = .linear, useBias: Bool = true,
        kernelInitializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros,
        kernelRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil,
        kernelConstraint: Constraint? = nil, biasConstraint: Constraint? = nil, name: String? = nil
    ) {
        (self.filters, self.kernelSize, self.strides, self.padding) = (filters, kernelSize, strides, padding)
        (self.dilationRate, self.groups) = (dilationRate, groups)
        (self.kernelInitializer, self.kernelRegularizer) = (kernelInitializer, kernelRegularizer)
        self.kernelConstraint = kernelConstraint
        super.init(
            activation: activation, useBias: useBias, biasInitializer: biasInitializer,
            biasRegularizer: biasRegularizer, biasConstraint: biasConstraint, name: name)
    }

    /// Sizes and counts must be positive, and groups must divide the filters.
    public override func checkArguments() throws(GraftError) {
        try super.checkArguments()
        guard filters % groups == 0 else {
            throw GraftError(.argument, "Conv1D: \(filters) filters cannot be divided into \(groups) groups")
        }
    }

    /// Makes the kernel and the bias.
    public override func build(inputShapes: [Shape]) throws(GraftError) {
        let channels = try Self.sequence(inputShapes).last
        guard channels % groups == 0 else {
            throw GraftError(.shape, "Conv1D: \(channels) input channels cannot be divided into \(groups) groups")
        }
        try addKernel(
            [kernelSize, channels / groups, filters], outputs: filters, kernelInitializer, kernelRegularizer,
            kernelConstraint)
    }

    /// Steps as ``Padding`` has them, and the filters.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        let sequence = try Self.sequence(inputShapes)
        let kernel: Shape = [1, kernelSize, self.kernel?.shape[1] ?? sequence.last / groups, filters]
        let result = try convolution(steps: sequence[0]).resultShape(
            input: [1, 1, sequence[0], sequence[1]], kernel: kernel)
        return [result[2], result[3]]
    }

    /// A convolution of images of one row, an addition and the activation.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        let shape = context.graph.shape(of: input)
        let row = try context.graph.reshape(input, to: [shape[0], 1, shape[1], shape[2]])
        let kernel = try context.graph.reshape(
            kernel(in: &context), to: [1, kernelSize, shape[2] / groups, filters])
        let product = try context.graph.convolution(row, kernel: kernel, convolution(steps: shape[1]))
        let steps = context.graph.shape(of: product)[2]
        let result = try context.graph.reshape(
            addBias(product, in: &context), to: [shape[0], steps, filters])
        return try activation.lower(result, in: &context)
    }

    private func convolution(steps: Int) -> Convolution {
        var edges = EdgePadding.none
        switch padding {
        case .valid: break
        case .same:
            edges = Padding.same.edges(
                height: 1, width: steps, window: Size2D(1, kernelSize), strides: Size2D(1, strides),
                dilation: Size2D(1, dilationRate))
        case .causal: edges = EdgePadding(top: 0, bottom: 0, left: (kernelSize - 1) * dilationRate, right: 0)
        }
        return Convolution(
            strides: Size2D(1, strides), dilation: Size2D(1, dilationRate), padding: edges, groups: groups)
    }
}

extension Conv1D.Ends: ConfigurationValue {
    init(configuration: Configuration) throws(GraftError) {
        let ends = configuration.text.flatMap { Self(rawValue: $0.lowercased()) }
        self = try configuration.expect(ends, "valid, same or causal")
    }

    var configuration: Configuration { .string(rawValue) }
}

extension Layer {
    /// The shape of a sequence, without its batch axis.
    static func sequence(_ inputShapes: [Shape]) throws(GraftError) -> Shape {
        let shape = try only(inputShapes)
        guard shape.rank == 2 else {
            throw GraftError(
                .shape, "\(className) needs an input of steps and channels; it was given \(shape.batchDescription)")
        }
        return shape
    }
}
