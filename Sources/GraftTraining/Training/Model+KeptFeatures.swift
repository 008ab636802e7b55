import GraftFeatures
import GraftModel

extension Model {
    /// The bytes of the features that `fit` would keep of an example, before they are packed; `nil` where it would keep none,
    /// as nothing is trainable or nothing stays the same.
    ///
    /// - Throws: `GraftError` where the model cannot be lowered.
    package func keptFeatureByteCount() throws -> Int? {
        guard !trainableVariables.isEmpty else { return nil }
        let trained = try TrainedModel(self, mayKeepTrunk: true)
        guard let trunk = try trained.parts(batchSize: Trunk.batchSize, training: true).trunk else { return nil }
        let elements = trunk.outputs.reduce(0) { $0 + trunk.shape(of: $1).ofExample.elementCount }
        return elements * MemoryLayout<Float>.stride
    }
}
