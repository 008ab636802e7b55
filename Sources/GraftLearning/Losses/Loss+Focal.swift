import GraftGraph

extension Loss {
    /// Binary cross-entropy that cares less about examples that are right already:
    /// `(1 − pₜ)^γ · crossentropy` with `pₜ = t · p + (1 − t) · (1 − p)`, the mean over all outputs of an example.
    ///
    /// - Parameters:
    ///   - applyClassBalancing: whether each term is multiplied with `t · α + (1 − t) · (1 − α)`.
    ///   - alpha: α, the weight of class 1, 0 to 1.
    ///   - gamma: γ, 0 or more; 0 is plain cross-entropy.
    ///   - fromLogits: whether predictions are the operands of a sigmoid rather than probabilities.
    ///   - labelSmoothing: 0 to 1; targets become `t · (1 − s) + s / 2`.
    ///
    /// Source: keras/src/losses/losses.py, version 3.15; T. Lin et al., arXiv:1708.02002.
    public static func binaryFocalCrossentropy(
        applyClassBalancing: Bool = false, alpha: Float = 0.25, gamma: Float = 2, fromLogits: Bool = false,
        labelSmoothing: Float = 0
    ) -> Loss {
        Loss("binary_focal_crossentropy", targets: .probabilities) { predictions, targets in
            let targets = labelSmoothing == 0 ? targets : try (1 - labelSmoothing) * targets + 0.5 * labelSmoothing
            let predicted = fromLogits ? try predictions.unary(.sigmoid) : predictions
            let crossentropy = try binaryCrossentropy(of: predicted, targets)
            let right = try targets * predicted + (1 - targets) * (1 - predicted)
            let focal = try (1 - right).raised(to: gamma) * crossentropy
            guard applyClassBalancing else { return focal }
            return try (alpha * targets + (1 - alpha) * (1 - targets)) * focal
        }
    }

    /// Categorical cross-entropy that cares less about examples that are right already:
    /// `−Σ α · (1 − p)^γ · t · ln p` over the classes; probabilities are normalized to the sum 1 and clipped to
    /// 1e-7 … 1 − 1e-7. Targets are one-hot rows or probabilities; see ``takingClassNumbers()`` for class numbers.
    ///
    /// - Parameters:
    ///   - alpha: α, the weight of all terms.
    ///   - gamma: γ, 0 or more; 0 is plain cross-entropy.
    ///   - fromLogits: whether predictions are the operands of a softmax rather than probabilities.
    ///   - labelSmoothing: 0 to 1; targets become `t · (1 − s) + s / classes`.
    ///
    /// Source: keras/src/losses/losses.py, version 3.15.
    public static func categoricalFocalCrossentropy(
        alpha: Float = 0.25, gamma: Float = 2, fromLogits: Bool = false, labelSmoothing: Float = 0
    ) -> Loss {
        Loss("categorical_focal_crossentropy", targets: .distributions) { predictions, targets in
            let share = labelSmoothing / Float(predictions.shape.last)
            let targets = labelSmoothing == 0 ? targets : try (1 - labelSmoothing) * targets + share
            let probabilities = fromLogits ? try predictions.softmax() : predictions
            let total = try probabilities.reduced(.sum, axes: [-1], keepDimensions: true)
            let clipped = try (probabilities / total).clipped(epsilon, 1 - epsilon)
            let focus = try alpha * (1 - clipped).raised(to: gamma)
            return try -(focus * targets * clipped.logarithm()).reduced(.sum, axes: [-1])
        }
    }

    /// The same loss for targets that are class numbers: each becomes a row with a one at its class.
    ///
    ///     model.compile(optimizer: Adam(), loss: .categoricalFocalCrossentropy().takingClassNumbers())
    ///
    /// So label smoothing and focal loss work on folders of images, whose targets are class numbers.
    public func takingClassNumbers() -> Loss {
        guard targets != .classNumbers else { return self }
        return Loss(name, targets: .classNumbers) { predictions, targets in
            try losses(predictions, targets.oneHot(classes: predictions))
        }
    }
}

extension GraphValue {
    /// Softmax over the last axis.
    func softmax() throws(GraftError) -> GraphValue { scope[try scope.graph.softmax(id)] }

    /// Each element to a fixed power; the common ones without a logarithm.
    func raised(to exponent: Float) throws(GraftError) -> GraphValue {
        switch exponent {
        case 1: self
        case 2: try squared()
        default: try binary(.power, exponent)
        }
    }
}
