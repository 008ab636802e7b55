import GraftData
import GraftGraph
import GraftModel

/// What a model says about some examples.
public struct Predictions: Sendable {
    /// The examples' numbers in the dataset, one for each row; those that could not be read are missing.
    public var indices: [Int]
    /// A tensor for each output of the model, with a row an example.
    public var outputs: [Tensor]
    /// The examples that could not be read.
    public var failures: [ExampleFailure]
}

extension Model {
    /// Predicts every example of a dataset. May be called from many threads at once.
    ///
    /// Memory holds all predictions; ``forEachPrediction(of:batchSize:options:_:)`` hands them over batch by batch.
    ///
    /// - Throws: `GraftError` with code `data` for examples that do not fit the model, `cancelled`. An example that
    ///   cannot be read is no error: it is named in `failures`.
    public func predict(
        _ examples: any Dataset, batchSize: Int = 32, options: TrainingOptions = TrainingOptions()
    ) throws -> Predictions {
        var result = SourceBatch()
        try forEachPrediction(of: examples, batchSize: batchSize, options: options) { part in
            result.append(
                SourceBatch(indices: part.indices, inputs: part.outputs.map { .dense($0) }, failures: part.failures))
        }
        return Predictions(indices: result.indices, outputs: result.tensors, failures: result.failures)
    }

    /// Predicts one tensor for each input of the model, with a batch axis in front. May be called from many threads.
    ///
    /// - Returns: a tensor for each output.
    public func predict(_ inputs: [Tensor], options: TrainingOptions = TrainingOptions()) throws -> [Tensor] {
        try predict(ArrayDataset(inputs: inputs), options: options).outputs
    }

    /// Predicts one tensor, with a batch axis in front, with a model that has one output.
    public func predict(_ input: Tensor, options: TrainingOptions = TrainingOptions()) throws -> Tensor {
        let outputs = try predict([input], options: options)
        guard let output = outputs.first, outputs.count == 1 else {
            throw GraftError(.argument, "the model has \(outputs.count) outputs; give predict a list of inputs")
        }
        return output
    }

    /// Predicts a dataset batch by batch, in order, so that memory does not grow with it; the next batch is decoded while
    /// this one is computed.
    ///
    /// - Parameter body: called with each batch's predictions; what it throws ends the prediction.
    public func forEachPrediction(
        of examples: any Dataset, batchSize: Int = 32, options: TrainingOptions = TrainingOptions(),
        _ body: (Predictions) throws -> Void
    ) throws {
        try requirePositive(batchSize, "batchSize")
        try DataCheck.checkRule(of: examples, model: self)
        let batchSize = min(batchSize, max(examples.count, 1))
        let predictor = Predictor.of(self)
        let stream = BatchStream(
            DecodedSource(dataset: CheckedIDs.of(examples, for: self)), order: Array(0..<examples.count),
            batchSize: batchSize,
            profiler: options.profiler)
        while let batch = try stream.next() {
            try options.checkCancellation()
            let outputs =
                batch.indices.isEmpty
                ? [] : try predictor.run(self, batch.tensors, batchSize: batchSize, options: options)
            try body(Predictions(indices: batch.indices, outputs: outputs, failures: batch.failures))
        }
    }
}
