import GraftData
import GraftGraph
import GraftLearning
import GraftModel

extension Model {
    /// Gives a normalization the statistics of what reaches it over some examples, as Keras's `adapt` does: `mean` and
    /// `variance` of each feature, and `count`.
    ///
    /// A variance below a hundredth of the mean variance is brought up to that: a feature that hardly changes over these
    /// examples would be blown up where it does.
    ///
    /// - Parameters:
    ///   - layer: a normalization of this model without given statistics, on vectors.
    ///   - examples: what the statistics are taken over.
    ///   - count: how many of them, spread evenly; all where there are fewer.
    ///   - options: threads and precision.
    /// - Throws: `GraftError` with code `argument` where the layer is of another kind or not of this model, `data` where none
    ///   of the examples can be read.
    ///
    /// Source: keras/src/layers/preprocessing/normalization.py, version 3.15.
    public func adapt(
        _ layer: Normalization, to examples: any Dataset, count: Int = 1000,
        options: TrainingOptions = TrainingOptions()
    ) throws {
        guard layer.mean == nil, layers.contains(where: { $0 === layer }), layer.variables.count == 3 else {
            throw GraftError(
                .argument,
                "the layer \(layer.name) of \(name) cannot be adapted: it must be a normalization of this model whose "
                    + "statistics were not given")
        }
        let features = try Model(inputs: inputs, outputs: [layer.input])
        var statistics = FeatureStatistics(width: layer.variables[0].shape.elementCount)
        let wanted = min(count, examples.count)
        let chosen = (0..<wanted).map { $0 * examples.count / wanted }
        let batchSize = min(32, max(wanted, 1))
        for start in stride(from: 0, to: wanted, by: batchSize) {
            try options.checkCancellation()
            let batch = try examples.batch(Array(chosen[start..<min(start + batchSize, wanted)]))
            guard !batch.indices.isEmpty else { continue }
            let outputs = try Predictor.of(features).run(
                features, batch.inputs, batchSize: batchSize, options: options)
            statistics.add(outputs[0])
        }
        guard statistics.count > 0 else {
            throw GraftError(.data, "none of the \(wanted) examples can be read that \(layer.name) is adapted to")
        }
        let shape = layer.variables[0].shape
        try layer.setWeights([
            Tensor(statistics.means.map { Float($0) }, shape: shape),
            Tensor(statistics.variances(atLeast: 0.01).map { Float($0) }, shape: shape),
            Tensor(Float(statistics.count)),
        ])
    }
}
