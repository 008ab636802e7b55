import GraftData
import GraftFeatures
import GraftGraph
import GraftModel
import GraftRuntime
import Synchronization

/// The plans of one kind of step, training or evaluation: one for each batch size, compiled when it is first needed. May be
/// asked from any thread.
final class StepPlans: Sendable {
    private let backend: any Backend
    private let readsBitmaps: Bool
    private let weights: ExampleWeights?
    private let makeProgram: @Sendable (_ batchSize: Int) throws -> StepProgram
    private let compiled = Mutex<[Int: CompiledStep]>([:])

    /// - Parameters:
    ///   - readsBitmaps: whether inputs come as rows compressed by a bitmap.
    ///   - weights: the examples' weights, where the programs take them.
    ///   - makeProgram: the program for a batch size; the variables' numbers must not depend on it.
    init(
        backend: any Backend, readsBitmaps: Bool = false, weights: ExampleWeights? = nil,
        makeProgram: @escaping @Sendable (Int) throws -> StepProgram
    ) {
        (self.backend, self.readsBitmaps, self.weights) = (backend, readsBitmaps, weights)
        self.makeProgram = makeProgram
    }

    /// The step for a batch size.
    func step(batchSize: Int) throws -> CompiledStep {
        try compiled.withLock { compiled in
            if let known = compiled[batchSize] { return known }
            let program = try makeProgram(batchSize)
            let options = PlanOptions(bitmapInputs: readsBitmaps ? Set(program.inputNames) : [])
            let step = CompiledStep(program, try backend.compile(program.graph, options))
            compiled[batchSize] = step
            return step
        }
    }

    /// A batch in the form in which its step reads it.
    func feed(_ batch: SourceBatch) throws -> FedBatch {
        guard !batch.indices.isEmpty else { return FedBatch(batch: batch, step: nil, feed: nil) }
        let step = try step(batchSize: batch.indices.count)
        return FedBatch(batch: batch, step: step, feed: try step.plan.feed(inputs(of: batch, to: step.program)))
    }

    /// What a program takes for a batch, by name, but for its scalars.
    func inputs(of batch: SourceBatch, to program: StepProgram) throws(GraftError) -> [String: HostArray] {
        let names = program.inputNames
        guard names.count == batch.inputs.count, batch.targets.count == program.targetCount else {
            throw GraftError(
                .data,
                "the examples have \(batch.inputs.count) inputs and \(batch.targets.count) targets; the model "
                    + "takes \(names.count) inputs and \(program.targetCount) targets")
        }
        var inputs = Dictionary(uniqueKeysWithValues: zip(names, batch.inputs))
        for (output, targets) in batch.targets.enumerated() { inputs[StepProgram.target(output)] = .dense(targets) }
        if let weights, let targets = batch.targets.first {
            inputs[StepProgram.weights] = .dense(weights.weights(of: batch.indices, targets: targets))
        }
        return inputs
    }
}

/// A program and its plan.
final class CompiledStep: Sendable {
    let program: StepProgram
    let plan: any Plan

    init(_ program: StepProgram, _ plan: any Plan) { (self.program, self.plan) = (program, plan) }
}

/// A batch that a step's plan was fed with.
struct FedBatch: Sendable {
    let batch: SourceBatch
    /// `nil` for a batch without rows.
    let step: CompiledStep?
    let feed: (any Feed)?

    var indices: [Int] { batch.indices }
    var failures: [ExampleFailure] { batch.failures }
}
