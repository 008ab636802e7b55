import GraftGraph

/// A rule that turns gradients into new values of variables, written as formulas of the graph.
///
/// An optimizer is a value: its arguments. What it remembers from step to step are arrays for each variable,
/// declared by ``slots``, that belong to the compiled model.
public protocol Optimizer: Sendable {
    /// Keras's name: `rmsprop`.
    var name: String { get }
    /// The learning rate of each step; given to a run as an input, so that it can change at any step.
    var learningRate: LearningRateSchedule { get set }
    /// Weight decay, clipping and what else every optimizer can do; nothing where a type does not say.
    var settings: OptimizerSettings { get }
    /// The arrays that it remembers for each trainable variable.
    var slots: [OptimizerSlot] { get }

    /// Numbers of a step that are the same for all variables and depend on nothing but its number, 1 for the first;
    /// formulas find them under their names in ``OptimizerStep/scalar(_:)``. None where a type does not say.
    func scalars(number: Int) -> [String: Float]

    /// Adds the update of one variable to the graph.
    ///
    /// - Returns: the variable's next value, and the next value of each slot in the order of ``slots``.
    func update(_ variable: OptimizedVariable, step: OptimizerStep) throws(GraftError) -> OptimizerUpdate

    /// - Throws: `GraftError` with code `argument` that names the argument that is outside its range.
    func validate() throws(GraftError)
}

extension Optimizer {
    /// Nothing but the formula.
    public var settings: OptimizerSettings { OptimizerSettings() }
    /// None.
    public func scalars(number: Int) -> [String: Float] { [:] }
}

/// An array that an optimizer keeps for a variable.
public struct OptimizerSlot: Sendable, Hashable {
    /// Keras's name: `velocity`.
    public var name: String
    /// What its elements begin with.
    public var initialValue: Float
    /// Whether it begins as a copy of the variable.
    package let copiesVariable: Bool
    /// A slot of the variable's shape.
    public init(_ name: String, initialValue: Float = 0) {
        (self.name, self.initialValue, copiesVariable) = (name, initialValue, false)
    }

    init(_ name: String, copiesVariable: Bool) {
        (self.name, initialValue, self.copiesVariable) = (name, 0, copiesVariable)
    }
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
    /// The learning rate for this variable, a scalar.
    public let learningRate: GraphValue
    /// The number of this change of the variables as a scalar, 1 for the first since `compile`.
    public let number: GraphValue

    /// One of the numbers that ``Optimizer/scalars(number:)`` gives, a scalar.
    public func scalar(_ name: String) throws(GraftError) -> GraphValue {
        try number.scope.input(Self.inputName(name), [])
    }

    /// The graph's name for it.
    static func inputName(_ scalar: String) -> String { "optimizer.\(scalar)" }
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
package func requireArgument(
    _ name: String, _ value: Float, in range: ClosedRange<Float>, of optimizer: String
) throws(GraftError) {
    guard range.contains(value), value.isFinite else {
        let isOpen = range.lowerBound == .leastNonzeroMagnitude
        let expected =
            switch (isOpen, range.upperBound.isInfinite) {
            case (true, true): "above 0"
            case (true, false): "above 0 and at most \(range.upperBound)"
            case (false, true): "at least \(range.lowerBound)"
            case (false, false): "\(range.lowerBound) to \(range.upperBound)"
            }
        throw GraftError(.argument, "\(name) of \(optimizer) is \(value); it must be \(expected)")
    }
}
