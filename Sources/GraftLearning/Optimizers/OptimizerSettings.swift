import GraftGraph

/// What Keras lets every optimizer do besides its own formula.
///
///     SGD(learningRate: 0.01, momentum: 0.9, settings: OptimizerSettings(weightDecay: 1e-4, clipping: .globalNorm(1)))
///
/// In a step the gradients are averaged over accumulated batches, then clipped; the weights decay, then the optimizer's
/// formula applies, then the moving average follows.
///
/// Source: keras/src/optimizers/base_optimizer.py, version 3.15.
public struct OptimizerSettings: Sendable {
    /// λ of decoupled weight decay: `w ← w − w · λ · η` before the optimizer's formula; none where it is `nil`.
    public var weightDecay: Float?
    /// Variables that do not decay: those whose name contains one of these words (`bias`), or whose path is one of
    /// them (`dense/kernel`). See ``biasesAndNormalization``.
    public var excludedFromWeightDecay: [String]
    /// What happens to large gradients.
    public var clipping: GradientClipping?
    /// Over how many batches gradients are averaged before variables change; 1 changes them at every batch.
    public var accumulationSteps: Int
    /// A moving average of the weights, `nil` for none.
    public var movingAverage: MovingAverage?
    /// The type of the arrays that the optimizer's formula keeps for each variable.
    ///
    /// ``ElementType/bfloat16`` takes half the memory. The formula is computed in 32 bits all the same; what it keeps is
    /// rounded stochastically to bfloat16, so that the mean of many small changes stays where rounding to the nearest would lose
    /// them. Sums of accumulated gradients and moving averages of weights stay in
    /// 32 bits.
    public var stateType: ElementType
    /// The factor of the learning rate for a variable, by its path: `mixed7_conv/kernel`. For rates that differ from
    /// layer to layer; 0 lets a variable rest.
    public var learningRateFactor: (@Sendable (_ path: String) -> Float)?

    /// The words for ``excludedFromWeightDecay`` that leave out biases and all variables of normalization layers.
    public static let biasesAndNormalization = ["bias", "gamma", "beta"]

    /// None, by default.
    public init(
        weightDecay: Float? = nil, excludedFromWeightDecay: [String] = [], clipping: GradientClipping? = nil,
        accumulationSteps: Int = 1, movingAverage: MovingAverage? = nil, stateType: ElementType = .float32,
        learningRateFactor: (@Sendable (_ path: String) -> Float)? = nil
    ) {
        (self.weightDecay, self.excludedFromWeightDecay) = (weightDecay, excludedFromWeightDecay)
        (self.clipping, self.accumulationSteps, self.stateType) = (clipping, accumulationSteps, stateType)
        (self.movingAverage, self.learningRateFactor) = (movingAverage, learningRateFactor)
    }

    /// - Throws: `GraftError` with code `argument` that names the argument that is outside its range.
    func validate(of optimizer: String) throws(GraftError) {
        if let weightDecay { try requireArgument("the weight decay", weightDecay, in: 0...(.infinity), of: optimizer) }
        if let limit = clipping?.limit {
            try requireArgument(
                "the limit of gradients", limit, in: Float.leastNonzeroMagnitude...(.infinity), of: optimizer)
        }
        try requirePositive(accumulationSteps, "accumulationSteps of \(optimizer)")
        guard stateType != .int32 else {
            throw GraftError(.argument, "the stateType of \(optimizer) is int32; it must be float32 or bfloat16")
        }
        guard let movingAverage else { return }
        try requireArgument("the moving average's momentum", movingAverage.momentum, in: 0...1, of: optimizer)
        if let frequency = movingAverage.overwriteFrequency {
            try requirePositive(frequency, "the moving average's overwriteFrequency of \(optimizer)")
        }
    }

    /// Whether a variable's weights decay.
    func decays(name: String, path: String) -> Bool {
        !excludedFromWeightDecay.contains { path == $0 || name.contains($0) }
    }
}

/// What happens to large gradients; one of the three, as in Keras.
public enum GradientClipping: Sendable, Hashable {
    /// Keras's `clipvalue`: each element is clipped to −limit … limit.
    case value(Float)
    /// Keras's `clipnorm`: each variable's gradient is scaled down to this Euclidean norm, `g · limit / max(‖g‖, limit)`.
    case norm(Float)
    /// Keras's `global_clipnorm`: all gradients are scaled down together to this Euclidean norm of all of them.
    case globalNorm(Float)

    var limit: Float {
        switch self {
        case .value(let limit), .norm(let limit), .globalNorm(let limit): limit
        }
    }
}

/// An exponential moving average of the weights: `a ← µ · a + (1 − µ) · w` after each step, a = w after the first.
///
/// When `fit` has done its epochs, the model's weights become their averages. Source:
/// keras/src/optimizers/base_optimizer.py, `use_ema`.
public struct MovingAverage: Sendable, Hashable {
    /// µ, 0 to 1: how much of the average stays at each step.
    public var momentum: Float
    /// Every this many steps, the weights are replaced by their averages during training too; never where it is `nil`.
    public var overwriteFrequency: Int?

    /// An average with Keras's defaults.
    public init(momentum: Float = 0.99, overwriteFrequency: Int? = nil) {
        (self.momentum, self.overwriteFrequency) = (momentum, overwriteFrequency)
    }
}
