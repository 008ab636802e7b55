/// A fully connected layer: `y = activation(x · kernel + bias)` over the last axis.
///
/// Input `(batch, …, inputs)`, output `(batch, …, units)`. Variables: `kernel` (inputs, units) and `bias` (units).
///
/// Source: keras/src/layers/core/dense.py.
public final class Dense: KernelLayer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var schema: LayerSchema? { table }
    private static let table = LayerSchema(
        Dense.self, Dense.init, .count("units", \.units),
        .activation(\.activation), .flag("use_bias", \.useBias, default: true),
        .initializer("kernel_initializer", \.kernelInitializer, default: .glorotUniform),
        .initializer("bias_initializer", \.biasInitializer, default: .zeros),
        .regularizer("kernel_regularizer", \.kernelRegularizer),
        .regularizer("bias_regularizer", \.biasRegularizer), .constraint("kernel_constraint", \.kernelConstraint),
        .constraint("bias_constraint", \.biasConstraint), .name,
        fixed: [.null("quantization_config"), .anything("lora_rank", "lora_alpha")])

    /// The size of the output's last axis.
    public let units: Int
    /// How the kernel begins.
    public let kernelInitializer: Initializer
    /// What is added to the loss for the size of the kernel.
    public let kernelRegularizer: Regularizer?
    /// What the kernel is brought back to after each step.
    public let kernelConstraint: Constraint?

    /// A fully connected layer with Keras's defaults.
    public init(
        _ units: Int, activation: ActivationFunction = .linear, useBias: Bool = true,
        kernelInitializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros,
        kernelRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil,
        kernelConstraint: Constraint? = nil, biasConstraint: Constraint? = nil, name: String? = nil
    ) {
        self.kernelConstraint = kernelConstraint
        (self.units, self.kernelInitializer, self.kernelRegularizer) = (units, kernelInitializer, kernelRegularizer)
        super.init(
            activation: activation, useBias: useBias, biasInitializer: biasInitializer,
            biasRegularizer: biasRegularizer, biasConstraint: biasConstraint, name: name)
    }

    /// Makes the kernel and the bias.
    public override func build(inputShapes: [Shape]) throws(GraftError) {
        let inputs = try Self.vector(inputShapes).last
        try addKernel([inputs, units], outputs: units, kernelInitializer, kernelRegularizer, kernelConstraint)
    }

    /// The input's shape with the units as its last axis.
    public override func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape {
        var shape = try Self.vector(inputShapes)
        if let kernel, kernel.shape[0] != shape.last {
            throw GraftError(
                .shape,
                "Dense was built for \(kernel.shape[0]) inputs on the last axis; it was given "
                    + shape.batchDescription)
        }
        shape[shape.rank - 1] = units
        return shape
    }

    /// A matrix product over the last axis, an addition and the activation.
    public override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        var shape = context.graph.shape(of: input)
        let rows = shape.dimensions.dropLast().reduce(1, *)
        let matrix = try context.graph.reshape(input, to: [rows, shape.last])
        let product = try context.graph.matrixProduct(matrix, kernel(in: &context))
        let value = try addBias(product, in: &context)
        shape[shape.rank - 1] = units
        return try activation.lower(context.graph.reshape(value, to: shape), in: &context)
    }

    private static func vector(_ inputShapes: [Shape]) throws(GraftError) -> Shape {
        let shape = try only(inputShapes)
        guard shape.rank > 0 else {
            throw GraftError(.shape, "Dense needs an input with at least one axis beside the batch")
        }
        return shape
    }
}
