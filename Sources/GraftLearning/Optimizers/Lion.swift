/// Steps of one size, in the direction that gradient and momentum agree on; remembers one array for each variable.
///
/// `w ← w − η · sign(β₁ · m + (1 − β₁) · g)`, then `m ← β₂ · m + (1 − β₂) · g`. Its rate is to be 3 to 10 times smaller
/// than ``AdamW``'s, and its weight decay as much larger.
///
/// Source: keras/src/optimizers/lion.py, version 3.15; X. Chen et al., arXiv:2302.06675.
public struct Lion: Optimizer {
    /// η; 0.001 by default.
    public var learningRate: LearningRateSchedule
    /// β₁, above 0 to 1: the momentum's part in the direction.
    public var beta1: Float
    /// β₂, 0 to 1: how much of the momentum stays at each step.
    public var beta2: Float
    /// Weight decay, clipping, accumulation, moving average, rates by layer.
    public var settings: OptimizerSettings

    /// Lion with Keras's defaults.
    public init(
        learningRate: LearningRateSchedule = 0.001, beta1: Float = 0.9, beta2: Float = 0.99,
        settings: OptimizerSettings = OptimizerSettings()
    ) {
        (self.learningRate, self.beta1, self.beta2, self.settings) = (learningRate, beta1, beta2, settings)
    }

    /// Keras's name.
    public var name: String { "lion" }

    /// `momentum`.
    public var slots: [OptimizerSlot] { [OptimizerSlot("momentum")] }

    /// The formula above.
    public func update(_ variable: OptimizedVariable, step: OptimizerStep) throws(GraftError) -> OptimizerUpdate {
        let (gradient, momentum) = (variable.gradient, variable.slots[0])
        let direction = try (beta1 * momentum + (1 - beta1) * gradient).unary(.sign)
        let next = try beta2 * momentum + (1 - beta2) * gradient
        return OptimizerUpdate(value: try variable.value - step.learningRate * direction, slots: [next])
    }

    /// The learning rate must not be negative, beta1 lie above 0 and up to 1, beta2 in 0 to 1.
    public func validate() throws(GraftError) {
        try learningRate.validate(of: "Lion")
        try settings.validate(of: "Lion")
        try requireArgument("beta1", beta1, in: Float.leastNonzeroMagnitude...1, of: "Lion")
        try requireArgument("beta2", beta2, in: 0...1, of: "Lion")
    }
}
