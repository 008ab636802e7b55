/// Adaptive moment estimation.
///
/// `m ← m + (1 − β₁) · (g − m)`, `v ← v + (1 − β₂) · (g² − v)`,
/// `α = η · √(1 − β₂ᵗ) / (1 − β₁ᵗ)`, `w ← w − α · m / (√v + ε)`. Note ε outside the root, as Keras has it. With AMSGrad
/// the largest v so far replaces v: `v̂ ← max(v̂, v)`, `w ← w − α · m / (√v̂ + ε)`.
///
/// Source: keras/src/optimizers/adam.py, version 3.15; D. Kingma and J. Ba, arXiv:1412.6980; S. Reddi, S. Kale and
/// S. Kumar, arXiv:1904.09237.
public struct Adam: Optimizer {
    /// η; 0.001 by default.
    public var learningRate: LearningRateSchedule
    /// β₁, 0 to below 1: how much of the mean gradient stays at each step.
    public var beta1: Float
    /// β₂, 0 to below 1: how much of the mean square stays at each step.
    public var beta2: Float
    /// ε, which keeps the denominator from zero.
    public var epsilon: Float
    /// Whether the largest mean square so far divides, not the present one.
    public var amsgrad: Bool
    /// Weight decay, clipping, accumulation, moving average, rates by layer.
    public var settings: OptimizerSettings

    /// Adam with Keras's defaults.
    public init(
        learningRate: LearningRateSchedule = 0.001, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-7,
        amsgrad: Bool = false, settings: OptimizerSettings = OptimizerSettings()
    ) {
        (self.learningRate, self.beta1, self.beta2, self.epsilon) = (learningRate, beta1, beta2, epsilon)
        (self.amsgrad, self.settings) = (amsgrad, settings)
    }

    /// Keras's name.
    public var name: String { "adam" }

    /// `momentum` and `velocity`, and `velocity_hat` with AMSGrad.
    public var slots: [OptimizerSlot] {
        [OptimizerSlot("momentum"), OptimizerSlot("velocity")] + (amsgrad ? [OptimizerSlot("velocity_hat")] : [])
    }

    /// The formula above.
    public func update(_ variable: OptimizedVariable, step: OptimizerStep) throws(GraftError) -> OptimizerUpdate {
        let (gradient, before) = (variable.gradient, (momentum: variable.slots[0], velocity: variable.slots[1]))
        let momentum = try before.momentum + (1 - beta1) * (gradient - before.momentum)
        let velocity = try before.velocity + (1 - beta2) * (gradient.squared() - before.velocity)
        let rate = try step.learningRate * bias(beta2, step).squareRoot() / bias(beta1, step)
        let largest = amsgrad ? try variable.slots[2].binary(.maximum, velocity) : nil
        let change = try rate * momentum / ((largest ?? velocity).squareRoot() + epsilon)
        return OptimizerUpdate(
            value: try variable.value - change, slots: [momentum, velocity] + [largest].compactMap(\.self))
    }

    /// `1 − βᵗ`, a scalar.
    private func bias(_ beta: Float, _ step: OptimizerStep) throws(GraftError) -> GraphValue {
        try 1 - step.number.scalar(beta).binary(.power, step.number)
    }

    /// The learning rate and epsilon must not be negative, both betas lie in 0 to below 1.
    public func validate() throws(GraftError) { try validate(as: "Adam") }

    /// The same in the name of an optimizer that is made of this one.
    func validate(as name: String) throws(GraftError) {
        try learningRate.validate(of: name)
        try settings.validate(of: name)
        try requireArgument("beta1", beta1, in: 0...Float(1).nextDown, of: name)
        try requireArgument("beta2", beta2, in: 0...Float(1).nextDown, of: name)
        try requireArgument("epsilon", epsilon, in: 0...(.infinity), of: name)
    }
}
