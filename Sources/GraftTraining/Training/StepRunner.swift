import GraftData
import GraftGraph
import GraftModel

/// Runs programs that differ in nothing but the batch size: full batches, and the last one of an epoch.
///
/// The values of all variables belong to one plan at a time, so that updates change them in place; where the batch size
/// changes, they move from plan to plan without a copy. Used by one thread.
final class StepRunner {
    private let backend: any Backend
    /// Whether batches come with the rows of their inputs packed.
    private let packsInputs: Bool
    private let makeProgram: (_ batchSize: Int) throws -> StepProgram
    private let initialValue: (StepProgram, VariableID) -> Tensor?
    private var prepared: [Int: Prepared] = [:]
    private var current: Prepared?
    /// Memory of former values, for the plan that runs next.
    private var spares: [VariableID: Tensor] = [:]

    private final class Prepared {
        let program: StepProgram
        let plan: any Plan
        init(_ program: StepProgram, _ plan: any Plan) { (self.program, self.plan) = (program, plan) }
    }

    /// - Parameters:
    ///   - packsInputs: whether batches come with the rows of their inputs packed.
    ///   - makeProgram: the program for a batch size; the variables' numbers must not depend on it.
    ///   - initialValue: a variable's value before the first step.
    init(
        backend: any Backend, packsInputs: Bool = false, makeProgram: @escaping (Int) throws -> StepProgram,
        initialValue: @escaping (StepProgram, VariableID) -> Tensor?
    ) {
        (self.backend, self.packsInputs) = (backend, packsInputs)
        (self.makeProgram, self.initialValue) = (makeProgram, initialValue)
    }

    /// Whether batches of a size are read packed as they come.
    func readsPackedInputs(batchSize: Int) throws -> Bool {
        let prepared = try prepared(batchSize)
        return prepared.plan.packedInputs.isSuperset(of: prepared.program.inputNames)
    }

    /// Runs a batch.
    ///
    /// - Parameters:
    ///   - next: the next batch, where it is known.
    ///   - scalars: further inputs by name.
    ///   - weights: the examples' weights, where the program takes them.
    /// - Returns: the program's outputs.
    func run(
        _ batch: SourceBatch, next: SourceBatch? = nil, scalars: [String: Float] = [:], weights: Tensor? = nil,
        randomKey: UInt64 = 0
    ) throws -> [Tensor] {
        let prepared = try activate(batchSize: batch.indices.count)
        let inputs = try inputs(of: batch, to: prepared.program, scalars: scalars, weights: weights)
        prepared.plan.recycle(takeSpares())
        // A batch of another size has a plan of its own.
        let upcoming = next.flatMap { $0.indices.count == batch.indices.count ? $0.inputs : nil } ?? []
        let named = Dictionary(uniqueKeysWithValues: zip(prepared.program.inputNames, upcoming))
        return try prepared.plan.run(inputs, next: named, randomKey: randomKey)
    }

    /// What a program takes for a batch, by name.
    func inputs(
        of batch: SourceBatch, to program: StepProgram, scalars: [String: Float], weights: Tensor?
    ) throws(GraftError) -> [String: Tensor] {
        let names = program.inputNames
        guard names.count == batch.inputs.count, let targets = batch.targets.first else {
            throw GraftError(
                .data,
                "the examples have \(batch.inputs.count) inputs and \(batch.targets.count) targets; the model "
                    + "takes \(names.count) inputs and 1 target")
        }
        var inputs = Dictionary(uniqueKeysWithValues: zip(names, batch.inputs))
        inputs[StepProgram.targets] = targets
        inputs[StepProgram.weights] = weights
        for (name, value) in scalars { inputs[name] = Tensor(value) }
        return inputs
    }

    /// Takes variables' former values, whose memory the next step may use: it must write new values elsewhere than those
    /// that were given away.
    func recycle(_ former: [Variable: Tensor]) {
        spares = [:]
        for (id, variable) in current?.program.variables ?? [:] { spares[id] = former[variable] }
    }

    /// The spares, which then nobody but the caller holds.
    private func takeSpares() -> [VariableID: Tensor] {
        defer { spares = [:] }
        return spares
    }

    /// The variables' values, shared; of those that the programs write where `updatedOnly`.
    func values(updatedOnly: Bool) -> [VariableID: Tensor] {
        guard let current else { return [:] }
        let program = current.program
        let all =
            updatedOnly ? program.graph.updates.map(\.variable) : Array(program.variables.keys) + program.slots.keys
        return Dictionary(all.compactMap { id in current.plan.value(of: id).map { (id, $0) } }) { first, _ in first }
    }

    /// The values of the model's variables that the programs write, shared; what an optimizer keeps beside them is not asked
    /// for, so that its rows may go on waiting.
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

    private func activate(batchSize: Int) throws -> Prepared {
        let next = try prepared(batchSize)
        guard next !== current else { return next }
        var values = self.values(updatedOnly: false)
        if current == nil {
            let program = next.program
            for id in Array(program.variables.keys) + program.slots.keys { values[id] = initialValue(program, id) }
        }
        current?.plan.unbind()
        current = nil
        try next.plan.bind(values)
        current = next
        return next
    }

    private func prepared(_ batchSize: Int) throws -> Prepared {
        if let known = prepared[batchSize] { return known }
        let program = try makeProgram(batchSize)
        let packed = packsInputs ? Set(program.inputNames) : []
        let result = Prepared(program, try backend.makePlan(program.graph, packedInputs: packed))
        prepared[batchSize] = result
        return result
    }
}
