import GraftGraph

/// The optimizers by the names that Keras's `compile(optimizer="rmsprop")` takes; `amsgrad` is Adam with that argument.
public enum OptimizerName: String, CaseIterable, Codable, Sendable {
    /// ``SGD``.
    case sgd
    /// ``RMSprop``.
    case rmsprop
    /// ``Adam``.
    case adam
    /// ``Adam`` that divides by the largest second moment so far.
    case amsgrad
    /// ``AdamW``.
    case adamw
    /// ``Nadam``.
    case nadam
    /// ``Adagrad``.
    case adagrad
    /// ``Lion``.
    case lion

    /// The optimizer with Keras's defaults and this learning rate.
    public func optimizer(
        learningRate: LearningRateSchedule, settings: OptimizerSettings = OptimizerSettings()
    ) -> any Optimizer {
        switch self {
        case .sgd: SGD(learningRate: learningRate, settings: settings)
        case .rmsprop: RMSprop(learningRate: learningRate, settings: settings)
        case .adam: Adam(learningRate: learningRate, settings: settings)
        case .amsgrad: Adam(learningRate: learningRate, amsgrad: true, settings: settings)
        case .adamw: AdamW(learningRate: learningRate, settings: settings)
        case .nadam: Nadam(learningRate: learningRate, settings: settings)
        case .adagrad: Adagrad(learningRate: learningRate, settings: settings)
        case .lion: Lion(learningRate: learningRate, settings: settings)
        }
    }
}
