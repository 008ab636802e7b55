/// What ``Dense`` and the convolutions share: a kernel, a bias and an activation.
public class KernelLayer: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    /// What is applied last.
    public let activation: ActivationFunction
    /// Whether a bias is added.
    public let useBias: Bool
    /// How the bias begins.
    public let biasInitializer: Initializer
    /// What is added to the loss for the size of the bias.
    public let biasRegularizer: Regularizer?
    /// What the bias is brought back to after each step.
    public let biasConstraint: Constraint?

    init(
        activation: ActivationFunction, useBias: Bool, biasInitializer: Initializer, biasRegularizer: Regularizer?,
        biasConstraint: Constraint? = nil, name: String?
    ) {
        self.biasConstraint = biasConstraint
        (self.activation, self.useBias) = (activation, useBias)
        (self.biasInitializer, self.biasRegularizer) = (biasInitializer, biasRegularizer)
        super.init(name: name)
    }

    /// The kernel; `nil` before the layer is built.
    public final var kernel: Variable? { variable(named: "kernel") }

    /// The bias; `nil` before the layer is built, or where it has none.
    public final var bias: Variable? { variable(named: "bias") }

    /// Makes the kernel, and a bias for each of the outputs.
    final func addKernel(
        _ shape: Shape, outputs: Int, _ initializer: Initializer, _ regularizer: Regularizer?,
        _ constraint: Constraint? = nil
    ) throws(GraftError) {
        try addVariable(
            "kernel", shape: shape, initializer: initializer, regularizer: regularizer, constraint: constraint)
        guard useBias else { return }
        try addVariable(
            "bias", shape: [outputs], initializer: biasInitializer, regularizer: biasRegularizer,
            constraint: biasConstraint)
    }

    /// The kernel's value.
    final func kernel(in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try context.value(of: requireVariable("kernel"))
    }

    /// The bias added to a product with the kernel.
    final func addBias(_ product: ValueID, in context: inout LoweringContext) throws(GraftError) -> ValueID {
        guard useBias else { return product }
        let bias = try context.value(of: requireVariable("bias"))
        return try context.graph.binary(.add, product, bias)
    }
}
