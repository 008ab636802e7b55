import GraftData
import GraftFeatures
import GraftGraph
import GraftModel

/// Evaluates the model on the validation examples at the end of each epoch.
final class Validator {
    private let fit: FitRun
    private let metrics: [Metric]
    private var examples: Examples
    private let batchSize: Int
    private let runner: StepRunner
    private let values: TrainedValues
    /// The batches of the next validation, where they are being read already.
    private var streamAhead: BatchStream?
    /// All examples, where they are one batch of packed rows: no larger than the memory in which they would be read again.
    private var whole: SourceBatch?

    /// How many examples are evaluated at once where their features are kept, unless more were asked for: as many as the
    /// product with a large matrix takes, which is read that much more seldom; fewer where features are large, because who
    /// asks for small batches of those wants to save memory. Packed ones take little, so that they may be many.
    static func batchSize(asked: Int, of examples: Examples) throws -> Int {
        guard let features = examples.source as? FeatureSource else { return asked }
        let packed = features.isPacked ? try features.packedByteCount(of: examples.readable) : nil
        let (most, mostBytes) = (packed == nil ? 64 : 512, 16 << 20)
        let size = max(asked, min(most, mostBytes / max(packed ?? features.byteCount, 1)))
        return packed == nil ? size : min(size, examples.readable.count)
    }

    /// The values of what training changed, while an epoch is validated; the model has those of the epoch before.
    private final class TrainedValues {
        var byVariable: [Variable: Tensor] = [:]
    }

    init(_ fit: FitRun, _ examples: Examples, _ trained: TrainedModel, _ targetShape: Shape) throws {
        (self.fit, self.examples) = (fit, examples)
        let (loss, metrics) = (fit.compilation.loss, fit.compilation.metrics)
        self.metrics = metrics
        let values = TrainedValues()
        self.values = values
        let packed = try examples.packed()
        runner = StepRunner(backend: fit.backend, packsInputs: packed != nil) { batchSize in
            let parts = try trained.parts(batchSize: batchSize, training: false)
            return try StepProgram.evaluation(
                parts, trained.trainable, loss, metrics, targetShape: targetShape)
        } initialValue: { program, id in
            program.variables[id].map { values.byVariable[$0] ?? $0.value }
        }
        var batchSize = try Self.batchSize(asked: fit.arguments.batchSize, of: packed ?? examples)
        if let packed, try runner.readsPackedInputs(batchSize: batchSize) {
            self.examples = packed
        } else {
            batchSize = try Self.batchSize(asked: fit.arguments.batchSize, of: examples)
        }
        self.batchSize = batchSize
    }

    /// The number of examples that can be read, as far as is known.
    var exampleCount: Int { examples.readable.count }

    /// The examples that cannot be read, as far as is known.
    var unreadable: Set<Int> { examples.unreadable }

    /// Leaves out examples that another process found to be unreadable.
    func leaveOut(_ indices: Set<Int>) { examples.leaveOut(indices) }

    /// Has the first batches read, which are about to be used.
    func readAhead() {
        guard streamAhead == nil, whole == nil, examples.source is FeatureSource else { return }
        streamAhead = takeStream(order: examples.readable)
    }

    private func takeStream(order: [Int]) -> BatchStream {
        defer { streamAhead = nil }
        if let whole, whole.indices == order { return BatchStream(whole) }
        return streamAhead
            ?? BatchStream(
                examples.source, order: order, batchSize: batchSize, profiler: fit.arguments.options.profiler)
    }

    /// The figures under `val_loss`, `val_accuracy`, …
    ///
    /// - Parameter values: the variables that training changed.
    func validate(epoch: Int, values: [Variable: Tensor]) throws -> [String: Double] {
        let clock = Stopwatch()
        self.values.byVariable = values
        // What is held here would be copied when training changes it.
        defer {
            runner.release()
            self.values.byVariable = [:]
        }
        let order = examples.readable
        let stream = takeStream(order: order)
        var figures = RunningFigures(metrics, prefix: "val_")
        var done = 0
        while let batch = try stream.next() {
            try fit.restAndCheckCancellation()
            for failure in examples.leaveOut(batch.failures) { try fit.emit(.problem(failure)) }
            done += batch.indices.count + batch.failures.count
            guard !batch.indices.isEmpty else { continue }
            if batch.indices == order, batch.isPacked { whole = batch }
            let outputs = try runner.run(batch)
            figures.add(
                lossSum: Double(outputs[0][0]), statistics: outputs.dropFirst(), examples: batch.indices.count)
            try fit.emit(
                .validation(epoch: epoch, Progress(done: done, total: order.count, elapsed: clock.seconds)))
        }
        guard exampleCount > 0 else { throw DataCheck.nothingReadable(fit.run.history.failures) }
        return figures.values
    }
}
