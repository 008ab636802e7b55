/// Divides each gradient by the root of a running mean of its squares.
///
/// `v ← ρ · v + (1 − ρ) · g²`; centered: `a ← ρ · a + (1 − ρ) · g` and `d = v − a² + ε`, else `d = v + ε`;
/// `i = η · g / √d`; with momentum `m ← µ · m + i; w ← w − m`, else `w ← w − i`. Note ε inside the root.
///
/// Source: keras/src/optimizers/rmsprop.py, version 3.15; G. Hinton, "Neural networks for machine learning", lecture 6e.
public struct RMSprop: Optimizer {
    /// η; 0.001 by default.
    public var learningRate: LearningRateSchedule
    /// ρ, 0 to 1: how much of the running mean stays at each step.
    public var rho: Float
    /// µ, 0 to 1; 0 remembers nothing.
    public var momentum: Float
    /// ε, which keeps the root from zero.
    public var epsilon: Float
    /// Whether to divide by an estimate of the variance rather than of the second moment.
    public var centered: Bool
    /// Weight decay, clipping, accumulation, moving average, rates by layer.
    public var settings: OptimizerSettings

    /// RMSprop with Keras's defaults.
    public init(
        learningRate: LearningRateSchedule = 0.001, rho: Float = 0.9, momentum: Float = 0, epsilon: Float = 1e-7,
        centered: Bool = false, settings: OptimizerSettings = OptimizerSettings()
    ) {
        (self.learningRate, self.rho, self.momentum) = (learningRate, rho, momentum)
        (self.epsilon, self.centered, self.settings) = (epsilon, centered, settings)
    }

    /// Keras's name.
    public var name: String { "rmsprop" }

    /// `velocity`, then `momentum` and `average_gradient` where they are used.
    public var slots: [OptimizerSlot] {
        [OptimizerSlot("velocity")] + (momentum > 0 ? [OptimizerSlot("momentum")] : [])
            + (centered ? [OptimizerSlot("average_gradient")] : [])
    }

    /// The formula above.
    public func update(_ variable: OptimizedVariable, step: OptimizerStep) throws(GraftError) -> OptimizerUpdate {
        let (gradient, before) = (variable.gradient, variable.slots)
        let velocity = try rho * before[0] + (1 - rho) * gradient.squared()
        let average = centered ? try rho * before[before.count - 1] + (1 - rho) * gradient : nil
        let spread = if let average { try velocity - average.squared() } else { velocity }
        let increment = try step.learningRate * gradient / (spread + epsilon).squareRoot()
        let change = momentum > 0 ? try momentum * before[1] + increment : increment
        let slots = [velocity, momentum > 0 ? change : nil, average].compactMap(\.self)
        return OptimizerUpdate(value: try variable.value - change, slots: slots)
    }

    /// The learning rate and epsilon must not be negative, rho and the momentum lie in 0 to 1.
    public func validate() throws(GraftError) {
        try learningRate.validate(of: "RMSprop")
        try settings.validate(of: "RMSprop")
        try requireArgument("rho", rho, in: 0...1, of: "RMSprop")
        try requireArgument("the momentum", momentum, in: 0...1, of: "RMSprop")
        try requireArgument("epsilon", epsilon, in: 0...(.infinity), of: "RMSprop")
        guard !centered || settings.stateType == .float32 else {
            throw GraftError(
                .argument,
                "centered RMSprop takes the difference of two arrays of its state, of which \(settings.stateType.rawValue) "
                    + "leaves nothing but the rounding; use the stateType float32, or RMSprop that is not centered")
        }
    }
}
