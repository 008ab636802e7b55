import GraftGraph
import GraftModel

/// What the model, the optimizer and the plan that trains hand to one another.
extension FitRun {
    func makeTrainingRunner(
        _ trained: TrainedModel, _ targetShape: Shape, packsInputs: Bool
    ) -> StepRunner {
        let (compilation, isWeighted) = (compilation.withoutState, arguments.weights != nil)
        return StepRunner(backend: backend, packsInputs: packsInputs) { batchSize in
            let parts = try trained.parts(batchSize: batchSize, training: true)
            return try StepProgram.training(
                parts, trained.trainable, compilation, targetShape: targetShape, isWeighted: isWeighted)
        } initialValue: { [unowned self] program, id in
            if let variable = program.variables[id] {
                return self.runningValues.removeValue(forKey: variable) ?? variable.value
            }
            return program.slots[id].map { self.takeSlot($0) }
        }
    }

    /// An optimizer's array, which then has no holder but the caller; a new one where the variable was not trained yet.
    private func takeSlot(_ address: StepProgram.SlotAddress) -> Tensor {
        if let kept = compilation.slots[address.variable]?[address.index] {
            compilation.slots[address.variable]?[address.index] = nil
            return kept
        }
        guard !address.slot.copiesVariable else { return address.variable.value }
        return Tensor(
            repeating: address.slot.initialValue, shape: address.variable.shape, as: address.elementType)
    }

    /// Keeps the optimizer's arrays for the next `fit`, and what a running epoch made of variables for a checkpoint.
    func keepState(of runner: StepRunner) {
        guard let program = runner.program else { return }
        runningValues = variables(of: runner)
        let none = [Tensor?](repeating: nil, count: OptimizerProgram(compilation.optimizer).slots.count)
        for (id, value) in runner.values(updatedOnly: true) {
            guard let address = program.slots[id] else { continue }
            compilation.slots[address.variable, default: none][address.index] = value
        }
    }

    /// What training changed, as it is now, shared: the next step writes elsewhere what it changes.
    func variables(of runner: StepRunner?) -> [Variable: Tensor] {
        guard let runner, runner.program != nil else { return runningValues }
        return runner.updatedVariables
    }

    /// Gives the model the moving averages of its variables, where the optimizer keeps them: Keras's
    /// `finalize_variable_values`.
    func adoptAverages(of runner: StepRunner) {
        let slots = OptimizerProgram(compilation.optimizer).slots
        guard let position = slots.firstIndex(of: .average) else { return }
        guard let program = runner.program else {
            // No step was left to do, so that no plan has taken the arrays.
            for variable in model.trainableVariables {
                if let average = compilation.slots[variable]?[position] { variable.value = average }
            }
            return
        }
        let values = runner.values(updatedOnly: true)
        for (id, address) in program.slots where address.slot == .average {
            if let average = values[id] { address.variable.value = average }
        }
    }
}

extension Compilation {
    /// What programs are made from.
    var withoutState: Compilation { Compilation(optimizer: optimizer, loss: loss, metrics: metrics) }
}
