/// A dense layer of ``MultiHeadAttention``: from the last axis to heads, or from heads to the last axis.
///
/// Keras has an `EinsumDense` there, `abc,cde->abde` or `abcd,cde->abe`. Variables: `kernel` (inputs, heads, size) or (heads, size,
/// outputs), and `bias` (heads, size) or (outputs).
final class AttentionProjection: Layer, @unchecked Sendable {  // constants only; `Layer` guards its own
    override class var className: String { "EinsumDense" }

    /// What a projection does to its input's last axes.
    enum Direction: Hashable {
        /// One axis becomes heads of so many numbers.
        case toHeads(count: Int, size: Int)
        /// Two axes, heads and their numbers, become one.
        case fromHeads
    }

    let direction: Direction
    /// Keras's name for it in the layer: `query`.
    let role: String
    /// Keras's name of the attribute that holds it, which is its place in files of weights.
    let place: String
    private let settings: Settings

    /// What all projections of a layer have in common.
    struct Settings {
        let useBias: Bool
        let kernelInitializer: Initializer
        let biasInitializer: Initializer
        let kernelRegularizer: Regularizer?
        let biasRegularizer: Regularizer?
        let kernelConstraint: Constraint?
        let biasConstraint: Constraint?
    }

    init(_ direction: Direction, _ settings: Settings, place: String, name: String) {
        (self.direction, self.settings, self.place, role) = (direction, settings, place, name)
        super.init(name: name)
    }

    /// Makes the kernel and the bias.
    ///
    /// - Parameter inputShapes: the sizes of the kernel's axes: (inputs) where heads are made, (heads, size, outputs) where they
    ///   are joined.
    override func build(inputShapes: [Shape]) throws(GraftError) {
        let shape = try Self.only(inputShapes)
        let (kernel, inputs, outputs): (Shape, Int, Shape) =
            switch direction {
            case .toHeads(let count, let size): ([shape[0], count, size], shape[0], [count, size])
            case .fromHeads: (shape, shape[0] * shape[1], [shape[2]])
            }
        try addVariable(
            "kernel", shape: kernel,
            initializer: settings.kernelInitializer.counting(inputs: inputs, outputs: outputs.elementCount),
            regularizer: settings.kernelRegularizer, constraint: settings.kernelConstraint)
        guard settings.useBias else { return }
        try addVariable(
            "bias", shape: outputs, initializer: settings.biasInitializer, regularizer: settings.biasRegularizer,
            constraint: settings.biasConstraint)
    }

    /// One product of matrices, in which axes that belong together are one.
    override func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        let input = try Self.only(inputs)
        let (shape, kernel) = (context.graph.shape(of: input), try requireVariable("kernel"))
        let (columns, kept, result): (Int, Int, [Int]) =
            switch direction {
            case .toHeads(let count, let size): (count * size, shape.rank - 1, [count, size])
            case .fromHeads: (kernel.shape.last, shape.rank - 2, [kernel.shape.last])
            }
        let inner = kernel.shape.elementCount / columns
        let rows = shape.dimensions.prefix(kept).reduce(1, *)
        let left = try context.graph.reshape(input, to: [rows, inner])
        let right = try context.graph.reshape(context.value(of: kernel), to: [inner, columns])
        var value = try context.graph.matrixProduct(left, right)
        if settings.useBias {
            let bias = try context.graph.reshape(context.value(of: requireVariable("bias")), to: [columns])
            value = try context.graph.binary(.add, value, bias)
        }
        return try context.graph.reshape(value, to: Shape(shape.dimensions.prefix(kept) + result))
    }
}
