import GraftData
import GraftFeatures
import GraftGraph
import GraftModel
import Synchronization

/// A model as one run of `fit` sees it. What trains is looked at once, when the run begins; for each batch size the model is
/// lowered and split once.
final class TrainedModel: Sendable {
    let model: Model
    /// The variables that the optimizer changes.
    let trainable: Set<Variable>
    /// These, and what a training step writes back, such as moving means.
    let changing: Set<Variable>
    /// Whether the part that cannot change runs once per image.
    let keepsTrunk: Bool
    /// Whether the rest of the model reads features by matrix products alone, which read compressed rows as they are.
    let multipliesFeatures: Bool
    private let lowered = Mutex<[Key: ModelParts]>([:])

    private struct Key: Hashable {
        let batchSize: Int
        let isTraining: Bool
    }

    /// - Parameter mayKeepTrunk: whether there is a place for features.
    /// - Throws: `GraftError` with code `state` where nothing is trainable.
    init(_ model: Model, mayKeepTrunk: Bool) throws {
        let trainable = model.trainableVariables
        guard !trainable.isEmpty else {
            throw GraftError(
                .state, "nothing in the model \(model.name) is trainable; set `trainable` on a layer or add a head")
        }
        // As the trunk runs. With one example every reshape would seem to keep examples apart.
        let lowered = try model.lower(batchSize: Trunk.batchSize, training: true, withLosses: true)
        let updated = lowered.graph.updates.map { lowered.variables[$0.variable.rawValue] }
        (self.model, self.trainable, changing) = (model, Set(trainable), Set(trainable + updated))
        let parts = try ModelParts(lowered, changing: mayKeepTrunk ? changing : nil)
        keepsTrunk = parts.trunk != nil
        multipliesFeatures = keepsTrunk && parts.graph.inputsAreMultiplied
        self.lowered.withLock { $0[Key(batchSize: Trunk.batchSize, isTraining: true)] = parts }
    }

    /// The number of elements that the optimizer changes.
    var trainableParameters: Int { trainable.reduce(0) { $0 + $1.shape.elementCount } }

    /// The model's parts for a batch size.
    func parts(batchSize: Int, training: Bool) throws -> ModelParts {
        let key = Key(batchSize: batchSize, isTraining: training)
        return try lowered.withLock { lowered in
            if let known = lowered[key] { return known }
            let parts = try ModelParts(
                model.lower(batchSize: batchSize, training: training, withLosses: true),
                changing: keepsTrunk ? changing : nil)
            lowered[key] = parts
            return parts
        }
    }
}

extension Graph {
    /// Whether every input is read by matrix products alone.
    fileprivate var inputsAreMultiplied: Bool {
        let inputs = nodes.indices.filter { if case .leaf(.input) = nodes[$0].operation { true } else { false } }
        return inputs.allSatisfy { productsMultiplying(ValueID(index: $0)) != nil }
    }
}
