import Foundation

/// Adam with Nesterov's look ahead.
///
/// `uₜ = β₁ · (1 − ½ · 0.96ᵗ)`, `Uₜ = u₁ · … · uₜ`, m and v as in ``Adam``;
/// `m̂ = uₜ₊₁ · m / (1 − Uₜ · uₜ₊₁) + (1 − uₜ) · g / (1 − Uₜ)`, `v̂ = v / (1 − β₂ᵗ)`, `w ← w − η · m̂ / (√v̂ + ε)`.
///
/// Source: keras/src/optimizers/nadam.py, version 3.15; T. Dozat, "Incorporating Nesterov momentum into Adam", 2016.
public struct Nadam: Optimizer {
    /// η; 0.001 by default.
    public var learningRate: LearningRateSchedule
    /// β₁, 0 to below 1: how much of the mean gradient stays at each step, in the long run.
    public var beta1: Float
    /// β₂, 0 to below 1: how much of the mean square stays at each step.
    public var beta2: Float
    /// ε, which keeps the denominator from zero.
    public var epsilon: Float
    /// Weight decay, clipping, accumulation, moving average, rates by layer.
    public var settings: OptimizerSettings

    /// Nadam with Keras's defaults.
    public init(
        learningRate: LearningRateSchedule = 0.001, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-7,
        settings: OptimizerSettings = OptimizerSettings()
    ) {
        (self.learningRate, self.beta1, self.beta2, self.epsilon) = (learningRate, beta1, beta2, epsilon)
        self.settings = settings
    }

    /// Keras's name.
    public var name: String { "nadam" }

    /// `momentum` and `velocity`.
    public var slots: [OptimizerSlot] { [OptimizerSlot("momentum"), OptimizerSlot("velocity")] }

    /// uₜ, uₜ₊₁ and Uₜ, the product of all u up to this step.
    public func scalars(number: Int) -> [String: Float] {
        var product: Float = 1
        // After a few hundred steps the product is zero for good.
        for step in 1...max(number, 1) {
            product *= decay(step)
            if product == 0 { break }
        }
        return ["u": decay(number), "u_next": decay(number + 1), "u_product": product]
    }

    /// uₜ.
    private func decay(_ step: Int) -> Float { beta1 * (1 - 0.5 * Float(pow(0.96, Double(step)))) }

    /// The formula above.
    public func update(_ variable: OptimizedVariable, step: OptimizerStep) throws(GraftError) -> OptimizerUpdate {
        let (gradient, before) = (variable.gradient, (momentum: variable.slots[0], velocity: variable.slots[1]))
        let (u, next, product) = try (step.scalar("u"), step.scalar("u_next"), step.scalar("u_product"))
        let momentum = try before.momentum + (1 - beta1) * (gradient - before.momentum)
        let velocity = try before.velocity + (1 - beta2) * (gradient.squared() - before.velocity)
        let ahead = try next / (1 - product * next) * momentum
        let now = try (1 - u) / (1 - product) * gradient
        let bias = try 1 - step.number.scalar(beta2).binary(.power, step.number)
        let change = try step.learningRate * (ahead + now) / ((velocity / bias).squareRoot() + epsilon)
        return OptimizerUpdate(value: try variable.value - change, slots: [momentum, velocity])
    }

    /// The learning rate and epsilon must not be negative, both betas lie in 0 to below 1.
    public func validate() throws(GraftError) {
        try learningRate.validate(of: "Nadam")
        try settings.validate(of: "Nadam")
        try requireArgument("beta1", beta1, in: 0...Float(1).nextDown, of: "Nadam")
        try requireArgument("beta2", beta2, in: 0...Float(1).nextDown, of: "Nadam")
        try requireArgument("epsilon", epsilon, in: 0...(.infinity), of: "Nadam")
    }
}
