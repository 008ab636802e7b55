import GraftGraph
import GraftModel

/// An optimizer with its settings as operations of a training step: from gradients to updates, and to what constraints
/// leave of them.
///
/// Where the settings ask for nothing, a variable's update is the optimizer's own formula and nothing else.
package struct OptimizerProgram {
    package static let learningRate = "learning_rate"
    package static let number = "step"
    private static let applies = "optimizer.applies"
    private static let overwrites = "optimizer.overwrites"

    package let optimizer: any Optimizer
    private let settings: OptimizerSettings

    package init(_ optimizer: any Optimizer) { (self.optimizer, settings) = (optimizer, optimizer.settings) }

    /// A variable as a training step sees it.
    package struct Target {
        package let name: String
        package let path: String
        package let value: GraphValue
        package let gradient: GraphValue
        /// In the order of ``OptimizerProgram/slots``.
        package let slots: [GraphValue]
        /// What its new value is brought back to.
        package let constraint: Constraint?

        /// - Parameter slots: in the order of ``OptimizerProgram/slots``.
        package init(
            name: String, path: String, value: GraphValue, gradient: GraphValue, slots: [GraphValue],
            constraint: Constraint? = nil
        ) {
            (self.name, self.path, self.value, self.gradient, self.slots) = (name, path, value, gradient, slots)
            self.constraint = constraint
        }
    }

    // MARK: What it needs

    /// The arrays for each variable: the optimizer's, then those of the settings.
    package var slots: [OptimizerSlot] {
        optimizer.slots + (accumulates ? [OptimizerSlot("gradient_accumulator")] : [])
            + (settings.movingAverage == nil ? [] : [.average])
    }

    /// What a slot is stored as: one of the optimizer's formula as the settings say, the settings' own in 32 bits.
    package func elementType(ofSlot index: Int) -> ElementType {
        index < optimizer.slots.count ? settings.stateType : .float32
    }

    private var accumulates: Bool { settings.accumulationSteps > 1 }

    /// The values of the scalar inputs in a step.
    ///
    /// - Parameters:
    ///   - step: how many steps were done since `compile`.
    ///   - learningRate: the rate of this step.
    package func scalars(step: Int, learningRate: Float) -> [String: Float] {
        // Keras's `iterations`, which counts changes of the variables, and one more.
        let number = step / settings.accumulationSteps + 1
        var scalars = [Self.learningRate: learningRate, Self.number: Float(number)]
        for (name, value) in optimizer.scalars(number: number) { scalars[OptimizerStep.inputName(name)] = value }
        if accumulates { scalars[Self.applies] = (step + 1) % settings.accumulationSteps == 0 ? 1 : 0 }
        if let frequency = settings.movingAverage?.overwriteFrequency {
            scalars[Self.overwrites] = number % frequency == 0 ? 1 : 0
        }
        return scalars
    }

    // MARK: Updates

    /// Adds the updates of all variables to the graph.
    ///
    /// - Returns: for each variable its next value and those of its slots, in the order of ``slots``.
    package func updates(of targets: [Target], in scope: GraphScope) throws(GraftError) -> [OptimizerUpdate] {
        var gradients: [GraphValue] = []
        for target in targets { gradients.append(try averaged(target)) }
        let clipped = try clip(gradients, in: scope)
        var updates: [OptimizerUpdate] = []
        let label = scope.graph.currentLabel
        defer { scope.graph.currentLabel = label }
        for ((target, average), gradient) in zip(zip(targets, gradients), clipped) {
            // The layer's name: what a profile shows the update under.
            scope.graph.currentLabel = target.path.split(separator: "/").dropLast().joined(separator: "/")
            var update = try change(target, by: gradient, in: scope)
            if accumulates { update = try hold(update, of: target, average, in: scope) }
            update = try follow(update, of: target, in: scope)
            if let constraint = target.constraint {
                update = OptimizerUpdate(value: try constraint.applied(to: update.value), slots: update.slots)
            }
            updates.append(update)
        }
        return updates
    }

    /// The mean of the gradients since the last change.
    private func averaged(_ target: Target) throws(GraftError) -> GraphValue {
        guard accumulates else { return target.gradient }
        return try (target.gradient + target.slots[optimizer.slots.count]) / Float(settings.accumulationSteps)
    }

    private func clip(_ gradients: [GraphValue], in scope: GraphScope) throws(GraftError) -> [GraphValue] {
        guard let clipping = settings.clipping, !gradients.isEmpty else { return gradients }
        var norm: GraphValue?
        if case .globalNorm = clipping { norm = try Self.globalNorm(of: gradients) }
        var clipped: [GraphValue] = []
        for gradient in gradients {
            switch clipping {
            case .value(let limit): clipped.append(try gradient.clipped(-limit, limit))
            case .norm(let limit):
                let norm = try gradient.squared().reduced(.sum).squareRoot()
                clipped.append(try limit * gradient / norm.binary(.maximum, limit))
            case .globalNorm(let limit):
                guard let norm else { continue }
                // As in Keras: one where the norm is below the limit, NaN where the norm is.
                let ratio = try limit * (1 / norm).binary(.minimum, 1 / limit) + (norm - norm)
                clipped.append(try gradient * ratio)
            }
        }
        return clipped
    }

    /// The Euclidean norm of all gradients together.
    private static func globalNorm(of gradients: [GraphValue]) throws(GraftError) -> GraphValue {
        var sum = try gradients[0].squared().reduced(.sum)
        for gradient in gradients.dropFirst() { sum = try sum + gradient.squared().reduced(.sum) }
        return try sum.squareRoot()
    }

    /// Weight decay and the optimizer's formula.
    private func change(
        _ target: Target, by gradient: GraphValue, in scope: GraphScope
    ) throws(GraftError) -> OptimizerUpdate {
        var rate = try scope.input(Self.learningRate, [])
        if let factor = settings.learningRateFactor?(target.path), factor != 1 { rate = try factor * rate }
        var value = target.value
        if let decay = settings.weightDecay, settings.decays(name: target.name, path: target.path) {
            value = try value - value * (decay * rate)
        }
        let step = OptimizerStep(learningRate: rate, number: try scope.input(Self.number, []))
        let slots = Array(target.slots.prefix(optimizer.slots.count))
        return try optimizer.update(OptimizedVariable(value: value, gradient: gradient, slots: slots), step: step)
    }

    /// Lets nothing but the sum of gradients change until enough batches were seen.
    private func hold(
        _ update: OptimizerUpdate, of target: Target, _ average: GraphValue, in scope: GraphScope
    ) throws(GraftError) -> OptimizerUpdate {
        let applies = try scope.input(Self.applies, [])
        let own = optimizer.slots.count
        var slots: [GraphValue] = []
        for (next, before) in zip(update.slots, target.slots) {
            slots.append(try next.selected(where: applies, otherwise: before))
        }
        let sum = try target.gradient + target.slots[own]
        slots.append(try sum.scalar(0).selected(where: applies, otherwise: sum))
        return OptimizerUpdate(
            value: try update.value.selected(where: applies, otherwise: target.value), slots: slots)
    }

    /// Lets the moving average follow the weights, and the weights the average where it is time.
    private func follow(
        _ update: OptimizerUpdate, of target: Target, in scope: GraphScope
    ) throws(GraftError) -> OptimizerUpdate {
        guard let settings = settings.movingAverage, let before = target.slots.last else { return update }
        let isLater = try scope.input(Self.number, []).binary(.greater, 1)
        let momentum = try settings.momentum * isLater
        let average = try momentum * before + (1 - momentum) * update.value
        var value = update.value
        if settings.overwriteFrequency != nil {
            value = try average.selected(where: scope.input(Self.overwrites, []), otherwise: value)
        }
        return OptimizerUpdate(value: value, slots: update.slots + [average])
    }
}

extension OptimizerSlot {
    /// The moving average of a variable; begins as the variable, so that one that is unfrozen later has no past of zeros.
    package static let average = OptimizerSlot("average", copiesVariable: true)
}
