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
    package private(set) var failures: [ExampleFailure] = []

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
        let stream = BatchStream(
            DecodedSource(dataset: examples), order: wanted, batchSize: Self.batchSize, profiler: options.profiler)
        var (indices, outputs, failures) = ([Int](), [[Double]](), [ExampleFailure]())
        var features: [Float] = []
        while let batch = try stream.next() {
            try options.checkCancellation()
            failures += batch.failures
            if !batch.indices.isEmpty {
                let result = try run(batch.tensors)
                let width = result.outputs.count / batch.indices.count
                result.outputs.withUnsafeBuffer { values in
                    for row in batch.indices.indices {
                        outputs.append(values[(row * width)..<((row + 1) * width)].map(Double.init))
                    }
                }
                result.features.withUnsafeBuffer { features += $0 }
                indices += batch.indices
            }
            try progress?(indices.count + failures.count)
        }
        return ExplainedExamples(
            indices: indices, outputs: outputs, features: Tensor(features, shape: [indices.count, featureCount]),
            failures: failures)
    }
}
