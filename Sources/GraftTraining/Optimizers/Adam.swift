/// Adaptive moment estimation.
///
/// `m ← m + (1 − β₁) · (g − m)`, `v ← v + (1 − β₂) · (g² − v)`,
/// `α = η · √(1 − β₂ᵗ) / (1 − β₁ᵗ)`, `w ← w − α · m / (√v + ε)`. Note ε outside the root, as Keras has it.
///
/// Source: keras/src/optimizers/adam.py, version 3.15; D. Kingma and J. Ba, arXiv:1412.6980.
public struct Adam: Optimizer {
    /// η; 0.001 where nothing else is said.
    public var learningRate: Float
    /// β₁, 0 to below 1: how much of the mean gradient stays at each step.
    public var beta1: Float
    /// β₂, 0 to below 1: how much of the mean square stays at each step.
    public var beta2: Float
    /// ε, which keeps the denominator from zero.
    public var epsilon: Float

    /// Adam with Keras's defaults.
    public init(learningRate: Float = 0.001, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-7) {
        (self.learningRate, self.beta1, self.beta2, self.epsilon) = (learningRate, beta1, beta2, epsilon)
    }

    /// Keras's name.
    public var name: String { "adam" }

    /// `momentum` and `velocity`.
    public var slots: [OptimizerSlot] { [OptimizerSlot("momentum"), OptimizerSlot("velocity")] }

    /// The formula above.
    public func update(_ variable: OptimizedVariable, step: OptimizerStep) throws(GraftError) -> OptimizerUpdate {
        let (gradient, before) = (variable.gradient, (momentum: variable.slots[0], velocity: variable.slots[1]))
        let momentum = try before.momentum + (1 - beta1) * (gradient - before.momentum)
        let velocity = try before.velocity + (1 - beta2) * (gradient.squared() - before.velocity)
        let rate = try step.learningRate * bias(beta2, step).squareRoot() / bias(beta1, step)
        let change = try rate * momentum / (velocity.squareRoot() + epsilon)
        return OptimizerUpdate(value: try variable.value - change, slots: [momentum, velocity])
    }

    /// `1 − βᵗ`, a scalar.
    private func bias(_ beta: Float, _ step: OptimizerStep) throws(GraftError) -> GraphValue {
        try 1 - step.number.scalar(beta).binary(.power, step.number)
    }

    /// The learning rate and epsilon must not be negative, both betas lie in 0 to below 1.
    public func validate() throws(GraftError) {
        try requireArgument("the learning rate", learningRate, in: 0...(.infinity), of: "Adam")
        try requireArgument("beta1", beta1, in: 0...Float(1).nextDown, of: "Adam")
        try requireArgument("beta2", beta2, in: 0...Float(1).nextDown, of: "Adam")
        try requireArgument("epsilon", epsilon, in: 0...(.infinity), of: "Adam")
    }
}
