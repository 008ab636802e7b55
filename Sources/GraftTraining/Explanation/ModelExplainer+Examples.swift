import GraftData
import GraftGraph
import GraftModel

/// What a model says of the examples of a dataset, and what it knows of them.
package struct ExplainedExamples: Sendable {
    /// The examples' numbers in the dataset, one for each row; those that could not be read are missing.
    package private(set) var indices: [Int] = []
    /// The model's outputs, an example a row.
    package private(set) var outputs: [[Double]] = []
    /// What it knows, an example a row: (examples, features).
    package private(set) var features: Tensor
    /// The examples that could not be read.
    package var failures: [ExampleFailure] = []

    fileprivate init(
        indices: [Int], outputs: [[Double]], features: Tensor, failures: [ExampleFailure]
    ) {
        (self.indices, self.outputs, self.features, self.failures) = (indices, outputs, features, failures)
    }
}

extension ModelExplainer {
    /// Runs the model over some examples of a dataset, in order; the next batch is decoded while one is computed.
    ///
    /// - Parameters:
    ///   - examples: a dataset.
    ///   - wanted: the numbers of the examples.
    ///   - progress: told how many are done.
    /// - Throws: `GraftError` with code `data` for examples that do not fit the model, `cancelled`.
    package func explain(
        _ examples: any Dataset, _ wanted: [Int], progress: ((_ done: Int) throws -> Void)? = nil
    ) throws -> ExplainedExamples {
        try DataCheck.checkRule(of: examples, model: model)
        return try explain(DecodedSource(dataset: examples), wanted, progress: progress)
    }

    /// The same of a source of examples or kept features.
    func explain(
        _ source: any ExampleSource, _ wanted: [Int], progress: ((_ done: Int) throws -> Void)? = nil
    ) throws -> ExplainedExamples {
        var (indices, outputs, failures) = ([Int](), [[Double]](), [ExampleFailure]())
        var features: [Float] = []
        try forEachBatch(of: source, wanted, options) { part in
            failures += part.failures
            indices += part.indices
            outputs += part.outputs
            part.features.withUnsafeBuffer { features += $0 }
            try progress?(indices.count + failures.count)
        }
        return ExplainedExamples(
            indices: indices, outputs: outputs, features: Tensor(features, shape: [indices.count, featureCount]),
            failures: failures)
    }

    /// Runs the model over all examples of a dataset, batch by batch, in order.
    ///
    /// - Parameter options: whose flag ends it and whose profiler follows it; plans are those that the explainer has.
    package func forEachBatch(
        of examples: any Dataset, options: TrainingOptions, _ body: (ExplainedExamples) throws -> Void
    ) throws {
        try DataCheck.checkRule(of: examples, model: model)
        try forEachBatch(of: DecodedSource(dataset: examples), Array(0..<examples.count), options, body)
    }

    private func forEachBatch(
        of source: any ExampleSource, _ wanted: [Int], _ options: TrainingOptions,
        _ body: (ExplainedExamples) throws -> Void
    ) throws {
        let stream = BatchStream(source, order: wanted, batchSize: batchSize, profiler: options.profiler)
        while let batch = try stream.next() {
            try options.checkCancellation()
            var (outputs, features) = ([[Double]](), Tensor(zeros: [0, featureCount]))
            if !batch.indices.isEmpty {
                let result = try run(batch.tensors)
                let width = result.outputs.count / batch.indices.count
                features = result.features
                outputs = result.outputs.withUnsafeBuffer { values in
                    batch.indices.indices.map { row in values[(row * width)..<((row + 1) * width)].map(Double.init) }
                }
            }
            try body(
                ExplainedExamples(
                    indices: batch.indices, outputs: outputs, features: features, failures: batch.failures))
        }
    }
}
