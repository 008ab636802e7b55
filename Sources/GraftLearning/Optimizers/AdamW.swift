/// Adam with decoupled weight decay: `w ← w − w · λ · η` before each of ``Adam``'s changes.
///
///     AdamW(learningRate: 1e-4, settings: .init(excludedFromWeightDecay: OptimizerSettings.biasesAndNormalization))
///
/// Source: keras/src/optimizers/adamw.py, version 3.15; I. Loshchilov and F. Hutter, arXiv:1711.05101.
public struct AdamW: Optimizer {
    /// Adam's arguments; its settings hold the weight decay.
    public var adam: Adam

    /// AdamW with Keras's defaults.
    ///
    /// - Parameters:
    ///   - learningRate: η.
    ///   - weightDecay: λ; replaces one in the settings.
    ///   - beta1: how much of the mean gradient stays at each step.
    ///   - beta2: how much of the mean square stays at each step.
    ///   - epsilon: keeps the denominator from zero.
    ///   - amsgrad: whether the largest mean square so far divides.
    ///   - settings: which variables do not decay, clipping, accumulation, moving average, rates by layer.
    public init(
        learningRate: LearningRateSchedule = 0.001, weightDecay: Float = 0.004, beta1: Float = 0.9,
        beta2: Float = 0.999, epsilon: Float = 1e-7, amsgrad: Bool = false,
        settings: OptimizerSettings = OptimizerSettings()
    ) {
        adam = Adam(
            learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, amsgrad: amsgrad,
            settings: settings)
        adam.settings.weightDecay = weightDecay
    }

    /// Keras's name.
    public var name: String { "adamw" }
    /// η; 0.001 by default.
    public var learningRate: LearningRateSchedule {
        get { adam.learningRate }
        set { adam.learningRate = newValue }
    }
    /// λ; 0.004 by default.
    public var weightDecay: Float {
        get { adam.settings.weightDecay ?? 0 }
        set { adam.settings.weightDecay = newValue }
    }
    /// Those of ``adam``.
    public var settings: OptimizerSettings { adam.settings }
    /// Those of ``adam``.
    public var slots: [OptimizerSlot] { adam.slots }

    /// Adam's formula; the settings let the weights decay.
    public func update(_ variable: OptimizedVariable, step: OptimizerStep) throws(GraftError) -> OptimizerUpdate {
        try adam.update(variable, step: step)
    }

    /// As ``Adam/validate()``.
    public func validate() throws(GraftError) { try adam.validate(as: "AdamW") }
}
