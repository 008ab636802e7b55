import GraftData
import GraftFeatures
import GraftGraph
import GraftModel
import Synchronization

/// Keeps the plans that a model predicts with, so that the second prediction starts at once; belongs to the model.
///
/// Several threads may run one plan at a time. Where a variable has another value than the plan was given, or the model
/// another graph, the plan is brought up to date first.
final class Predictor: Sendable {
    /// More than a full and a single batch are not kept: each holds packed weights.
    private static let limit = 2

    private let prepared = Mutex<[Prepared]>([])

    private struct Prepared: Sendable {
        let key: Key
        let parts: ModelParts
        let plan: BoundPlan
    }

    private struct Key: Hashable, Sendable {
        let batchSize: Int
        let outputs: [SymbolicTensor]
        /// What computes: ``BackendCapabilities/identity`` of one that was given, the settings of the standard one.
        let backend: String?
        let settings: BackendSettings
    }

    /// That of a model.
    static func of(_ model: Model) -> Predictor { model.attachment { Predictor() } }

    /// The outputs for at most `batchSize` rows; the plan is made for that many, and missing rows are filled up.
    func run(
        _ model: Model, _ inputs: [Tensor], batchSize: Int, options: TrainingOptions
    ) throws -> [Tensor] {
        let rows = inputs.first?.shape.dimensions.first ?? 0
        let ready = try prepare(model, batchSize: batchSize, options: options)
        guard inputs.count == ready.parts.inputNames.count else {
            throw GraftError(
                .data, "the model takes \(ready.parts.inputNames.count) inputs; it was given \(inputs.count)")
        }
        for (tensor, wanted) in zip(inputs, model.inputs) where tensor.shape.ofExample != wanted.shape {
            throw GraftError(
                .data, "an example has the shape \(tensor.shape.ofExample); the model takes \(wanted.shape)")
        }
        let padded = inputs.map { $0.padded(toRows: batchSize) }
        let outputs = try ready.plan.plan.run(Dictionary(uniqueKeysWithValues: zip(ready.parts.inputNames, padded)))
        return outputs.map { $0.prefix(rows: rows) }
    }

    /// Lets go of all plans and the values they hold; those that run end first.
    func clear() { prepared.withLock { $0 = [] } }

    /// A plan with the model's values. Threads that need the same one wait for the first of them to make it.
    private func prepare(_ model: Model, batchSize: Int, options: TrainingOptions) throws -> Prepared {
        let key = Key(
            batchSize: batchSize, outputs: model.outputs, backend: options.backend?.capabilities.identity,
            settings: try options.backendSettings)
        return try prepared.withLock { kept in
            if let position = kept.firstIndex(where: { $0.key == key }) {
                try kept[position].plan.refresh()
                return kept[position]
            }
            let new = try make(model, key, options)
            kept = kept.suffix(Self.limit - 1) + [new]
            return new
        }
    }

    private func make(_ model: Model, _ key: Key, _ options: TrainingOptions) throws -> Prepared {
        let parts = try ModelParts(model.lower(batchSize: key.batchSize, training: false))
        let graph = try parts.graph.pruned()
        return Prepared(key: key, parts: parts, plan: try BoundPlan(graph, of: parts, options: options))
    }
}
