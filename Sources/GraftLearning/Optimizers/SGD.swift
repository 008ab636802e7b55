/// Gradient descent, with momentum by choice.
///
/// Without momentum: `w ← w − η · g`. With momentum: `v ← µ · v − η · g; w ← w + v`, and Nesterov's:
/// `w ← w + µ · v − η · g` with the new v.
///
/// Source: keras/src/optimizers/sgd.py, version 3.15.
public struct SGD: Optimizer {
    /// η; 0.01 by default.
    public var learningRate: LearningRateSchedule
    /// µ, 0 to 1; 0 remembers nothing.
    public var momentum: Float
    /// Whether to look ahead along the momentum.
    public var nesterov: Bool
    /// Weight decay, clipping, accumulation, moving average, rates by layer.
    public var settings: OptimizerSettings

    /// Gradient descent with Keras's defaults.
    public init(
        learningRate: LearningRateSchedule = 0.01, momentum: Float = 0, nesterov: Bool = false,
        settings: OptimizerSettings = OptimizerSettings()
    ) {
        (self.learningRate, self.momentum, self.nesterov) = (learningRate, momentum, nesterov)
        self.settings = settings
    }

    /// Keras's name.
    public var name: String { "sgd" }

    /// `momentum`, where there is one.
    public var slots: [OptimizerSlot] { momentum == 0 ? [] : [OptimizerSlot("momentum")] }

    /// The formula above.
    public func update(_ variable: OptimizedVariable, step: OptimizerStep) throws(GraftError) -> OptimizerUpdate {
        let descent = try step.learningRate * variable.gradient
        guard momentum != 0 else { return OptimizerUpdate(value: try variable.value - descent) }
        let velocity = try momentum * variable.slots[0] - descent
        let change = nesterov ? try momentum * velocity - descent : velocity
        return OptimizerUpdate(value: try variable.value + change, slots: [velocity])
    }

    /// The learning rate must not be negative, the momentum lie in 0 to 1.
    public func validate() throws(GraftError) {
        try learningRate.validate(of: "SGD")
        try settings.validate(of: "SGD")
        try requireArgument("the momentum", momentum, in: 0...1, of: "SGD")
    }
}
