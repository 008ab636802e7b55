/// A fully connected layer: `y = activation(x · kernel + bias)` over the last axis.
///
/// Input `(batch, …, inputs)`, output `(batch, …, units)`. Variables: `kernel` (inputs, units) and `bias` (units).
///
/// Source: keras/src/layers/core/dense.py.
public final class Dense: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    /// Keras's name.
    public override class var className: String { "Dense" }
    /// The size of the output's last axis.
    public let units: Int
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

    /// A fully connected layer with Keras's defaults.
    public init(
        _ units: Int, activation: ActivationFunction = .linear, useBias: Bool = true,
        kernelInitializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros,
        kernelRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil, name: String? = nil
    ) {
        (self.kernelRegularizer, self.biasRegularizer) = (kernelRegularizer, biasRegularizer)
        (self.units, self.activation, self.useBias) = (units, activation, useBias)
        (self.kernelInitializer, self.biasInitializer) = (kernelInitializer, biasInitializer)
        super.init(name: name)
    }

    /// The kernel; `nil` before the layer is built.
    public var kernel: Variable? { variable(named: "kernel") }

    /// The bias; `nil` before the layer is built, or where it has none.
    public var bias: Variable? { variable(named: "bias") }

    /// There must be at least one unit.
    public override func checkArguments() throws(GraftError) { try check(units, "units") }

    /// Makes the kernel and the bias.
    public override func build(inputShapes: [Shape]) throws(GraftError) {
        let shape = try Self.vector(inputShapes)
        try addVariable(
            "kernel", shape: [shape.last, units], initializer: kernelInitializer, regularizer: kernelRegularizer)
        if useBias {
            try addVariable("bias", shape: [units], initializer: biasInitializer, regularizer: biasRegularizer)
        }
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
        var value = try context.graph.matrixProduct(matrix, context.value(of: requireVariable("kernel")))
        if useBias {
            let bias = try context.value(of: requireVariable("bias"))
            value = try context.graph.binary(.add, value, bias)
        }
        shape[shape.rank - 1] = units
        return try activation.lower(context.graph.reshape(value, to: shape), in: &context)
    }

    /// Keras's arguments.
    public override var arguments: [String: Configuration] {
        [
            "units": .int(units), "activation": activation.configuration, "use_bias": .bool(useBias),
            "kernel_initializer": kernelInitializer.configuration, "bias_initializer": biasInitializer.configuration,
            "kernel_regularizer": kernelRegularizer.configuration, "bias_regularizer": biasRegularizer.configuration,
            "kernel_constraint": nil, "bias_constraint": nil,
            "quantization_config": nil,
        ]
    }

    private static func vector(_ inputShapes: [Shape]) throws(GraftError) -> Shape {
        let shape = try only(inputShapes)
        guard shape.rank > 0 else {
            throw GraftError(.shape, "Dense needs an input with at least one axis beside the batch")
        }
        return shape
    }
}

extension Dense {
    /// From Keras's configuration.
    convenience init(from reader: inout ConfigurationReader) throws(GraftError) {
        try self.init(
            reader.integer("units"), activation: reader.activation(), useBias: reader.flag("use_bias", default: true),
            kernelInitializer: reader.initializer("kernel_initializer", default: .glorotUniform),
            biasInitializer: reader.initializer("bias_initializer", default: .zeros),
            kernelRegularizer: reader.regularizer("kernel_regularizer"),
            biasRegularizer: reader.regularizer("bias_regularizer"), name: reader.name)
        try reader.requireNull(
            "activity_regularizer", "kernel_constraint", "bias_constraint",
            "quantization_config", "lora_rank", "lora_alpha")
    }
}
