import GraftGraph

/// A rule that turns gradients into new values of variables, written as formulas of the graph.
///
/// An optimizer is a value: its arguments. What it remembers from step to step are arrays beside each variable,
/// declared by ``slots``, that belong to the compiled model.
public protocol Optimizer: Sendable {
    /// Keras's name: `rmsprop`.
    var name: String { get }
    /// The learning rate that training begins with; given to each run as an input, so that it can change at any step.
    var learningRate: Float { get set }
    /// The arrays that it remembers for each trainable variable.
    var slots: [OptimizerSlot] { get }

    /// Adds the update of one variable to the graph.
    ///
    /// - Returns: the variable's next value, and the next value of each slot in the order of ``slots``.
    func update(_ variable: OptimizedVariable, step: OptimizerStep) throws(GraftError) -> OptimizerUpdate

    /// - Throws: `GraftError` with code `argument` that names the argument that is outside its range.
    func validate() throws(GraftError)
}

/// An array that an optimizer keeps beside a variable.
public struct OptimizerSlot: Sendable, Hashable {
    /// Keras's name: `velocity`.
    public var name: String
    /// What its elements begin with.
    public var initialValue: Float
    /// A slot of the variable's shape.
    public init(_ name: String, initialValue: Float = 0) { (self.name, self.initialValue) = (name, initialValue) }
}

/// A variable as an optimizer sees it in one step.
public struct OptimizedVariable {
    /// Its value before the step.
    public let value: GraphValue
    /// The gradient of the loss with respect to it, of its shape.
    public let gradient: GraphValue
    /// Its slots before the step, in the order of ``Optimizer/slots``.
    public let slots: [GraphValue]
}

/// What is the same for all variables in one step.
public struct OptimizerStep {
    /// The learning rate, a scalar.
    public let learningRate: GraphValue
    /// The number of this step as a scalar, 1 for the first since `compile`.
    public let number: GraphValue
}

/// What an optimizer makes of a variable and its slots.
public struct OptimizerUpdate {
    /// The variable's next value.
    public let value: GraphValue
    /// The slots' next values, in order.
    public let slots: [GraphValue]
    /// An update of these values.
    public init(value: GraphValue, slots: [GraphValue] = []) { (self.value, self.slots) = (value, slots) }
}

/// Checks that an optimizer's argument lies in its range.
func requireArgument(
    _ name: String, _ value: Float, in range: ClosedRange<Float>, of optimizer: String
) throws(GraftError) {
    guard range.contains(value), value.isFinite else {
        let expected =
            range.upperBound.isInfinite ? "at least \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
        throw GraftError(.argument, "\(name) of \(optimizer) is \(value); it must be \(expected)")
    }
}
