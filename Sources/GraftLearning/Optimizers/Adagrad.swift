/// Divides each gradient by the root of the sum of all its squares, so that rates fall where gradients were large.
///
/// `a ← a + g²`, `w ← w − η · g / √(a + ε)`. Note ε inside the root.
///
/// Source: keras/src/optimizers/adagrad.py, version 3.15; J. Duchi, E. Hazan and Y. Singer, JMLR 12 (2011), 2121–2159.
public struct Adagrad: Optimizer {
    /// η; 0.001 by default.
    public var learningRate: LearningRateSchedule
    /// What the sums begin with, not negative.
    public var initialAccumulatorValue: Float
    /// ε, which keeps the root from zero.
    public var epsilon: Float
    /// Weight decay, clipping, accumulation, moving average, rates by layer.
    public var settings: OptimizerSettings

    /// Adagrad with Keras's defaults.
    public init(
        learningRate: LearningRateSchedule = 0.001, initialAccumulatorValue: Float = 0.1, epsilon: Float = 1e-7,
        settings: OptimizerSettings = OptimizerSettings()
    ) {
        (self.learningRate, self.initialAccumulatorValue) = (learningRate, initialAccumulatorValue)
        (self.epsilon, self.settings) = (epsilon, settings)
    }

    /// Keras's name.
    public var name: String { "adagrad" }

    /// `accumulator`.
    public var slots: [OptimizerSlot] { [OptimizerSlot("accumulator", initialValue: initialAccumulatorValue)] }

    /// The formula above.
    public func update(_ variable: OptimizedVariable, step: OptimizerStep) throws(GraftError) -> OptimizerUpdate {
        let sum = try variable.slots[0] + variable.gradient.squared()
        let change = try step.learningRate * variable.gradient / (sum + epsilon).squareRoot()
        return OptimizerUpdate(value: try variable.value - change, slots: [sum])
    }

    /// The learning rate, the first sum and epsilon must not be negative.
    public func validate() throws(GraftError) {
        try learningRate.validate(of: "Adagrad")
        try settings.validate(of: "Adagrad")
        try requireArgument(
            "the initial accumulator value", initialAccumulatorValue, in: 0...(.infinity), of: "Adagrad")
        try requireArgument("epsilon", epsilon, in: 0...(.infinity), of: "Adagrad")
    }
}
