import GraftData
import GraftGraph
import GraftModel
import GraftRuntime

/// Runs steps that differ in nothing but the batch size: full batches, and the last one of an epoch.
///
/// The values of all variables belong to one plan at a time, so that updates change them in place; where the batch size
/// changes, they move from plan to plan without a copy. Used by one thread.
final class StepRunner {
    let plans: StepPlans
    private let initialValue: (StepProgram, VariableID) -> Tensor?
    private var current: CompiledStep?

    /// - Parameter initialValue: a variable's value before the first step.
    init(_ plans: StepPlans, initialValue: @escaping (StepProgram, VariableID) -> Tensor?) {
        (self.plans, self.initialValue) = (plans, initialValue)
    }

    /// Runs a batch.
    ///
    /// - Parameters:
    ///   - batch: one that these plans were fed with, with at least one row.
    ///   - next: the next batch, where it is known.
    ///   - scalars: further inputs by name.
    /// - Returns: the program's outputs.
    func run(
        _ batch: FedBatch, next: FedBatch? = nil, scalars: [String: Float] = [:], randomKey: UInt64 = 0
    ) throws -> [Tensor] {
        guard let step = batch.step, let feed = batch.feed else { return [] }
        try activate(step)
        return try step.plan.run(feed, scalars: scalars, next: next?.feed, randomKey: randomKey)
    }

    /// The variables' values, shared; of those that the programs write where `updatedOnly`.
    func values(updatedOnly: Bool) -> [VariableID: Tensor] {
        guard let current else { return [:] }
        let program = current.program
        let all =
            updatedOnly ? program.graph.updates.map(\.variable) : Array(program.variables.keys) + program.slots.keys
        return Dictionary(all.compactMap { id in current.plan.value(of: id).map { (id, $0) } }) { first, _ in first }
    }

    /// The values of the model's variables that the programs write, shared; what an optimizer keeps for them is not asked
    /// for, so that its lazy rows need no catch-up.
    var updatedVariables: [Variable: Tensor] {
        guard let current else { return [:] }
        var values: [Variable: Tensor] = [:]
        for id in current.program.graph.updates.map(\.variable) {
            if let variable = current.program.variables[id] { values[variable] = current.plan.value(of: id) }
        }
        return values
    }

    /// The program that ran last.
    var program: StepProgram? { current?.program }

    /// Lets go of all values; the next batch takes the initial ones.
    func release() {
        current?.plan.unbind()
        current = nil
    }

    private func activate(_ step: CompiledStep) throws {
        guard step !== current else { return }
        var values = self.values(updatedOnly: false)
        if current == nil {
            let program = step.program
            for id in Array(program.variables.keys) + program.slots.keys { values[id] = initialValue(program, id) }
        }
        current?.plan.unbind()
        current = nil
        try step.plan.bind(values)
        current = step
    }
}
