import GraftFeatures
import GraftGraph
import GraftModel

/// A model as one run of `fit` sees it. What trains is looked at once, when the run begins.
struct TrainedModel: Sendable {
    let model: Model
    /// The variables that the optimizer changes.
    let trainable: Set<Variable>
    /// These, and what a training step writes back, such as moving means.
    let changing: Set<Variable>
    /// Whether the part that cannot change runs once per image.
    let keepsTrunk: Bool

    /// - Parameter mayKeepTrunk: whether there is a place for features.
    /// - Throws: `GraftError` with code `state` where nothing is trainable.
    init(_ model: Model, mayKeepTrunk: Bool) throws {
        let trainable = model.trainableVariables
        guard !trainable.isEmpty else {
            throw GraftError(
                .state, "nothing in the model \(model.name) is trainable; set `trainable` on a layer or add a head")
        }
        let lowered = try model.lower(batchSize: 1, training: true)
        let updated = lowered.graph.updates.map { lowered.variables[$0.variable.rawValue] }
        (self.model, self.trainable, changing) = (model, Set(trainable), Set(trainable + updated))
        guard mayKeepTrunk else {
            keepsTrunk = false
            return
        }
        keepsTrunk = try ModelParts(of: model, batchSize: 1, training: true, changing: changing).trunk != nil
    }

    /// The number of numbers that the optimizer changes.
    var trainableParameters: Int { trainable.reduce(0) { $0 + $1.shape.elementCount } }

    /// The model's parts for a batch size.
    func parts(batchSize: Int, training: Bool) throws -> ModelParts {
        try ModelParts(of: model, batchSize: batchSize, training: training, changing: keepsTrunk ? changing : nil)
    }
}
