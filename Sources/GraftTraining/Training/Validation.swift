import GraftData
import GraftFeatures
import GraftGraph
import GraftModel
import GraftRuntime

/// Evaluates the model on the validation examples at the end of each epoch.
final class Validation {
    private let events: RunEvents
    private let measures: Measures
    private let profiler: Profiler?
    private(set) var examples: Examples
    private let batchSize: Int
    private let runner: StepRunner
    private let values: TrainedValues
    /// The batches of the next validation, where they are being read already.
    private var streamAhead: BatchStream<FedBatch>?
    /// All examples, where they are one batch of compressed rows: no larger than the memory in which they would be read again.
    private var whole: FedBatch?

    /// The values of what training changed, while an epoch is validated; the model has those of the epoch before.
    private final class TrainedValues {
        var byVariable: [Variable: Tensor] = [:]
    }

    /// - Parameters:
    ///   - plans: of evaluations.
    ///   - batchSize: how many examples at once were asked for.
    init(
        _ plans: StepPlans, _ examples: Examples, _ measures: Measures, batchSize: Int, _ events: RunEvents,
        profiler: Profiler?
    ) throws {
        (self.examples, self.measures) = (examples, measures)
        (self.events, self.profiler) = (events, profiler)
        let values = TrainedValues()
        self.values = values
        runner = StepRunner(plans) { program, id in
            program.variables[id].map { values.byVariable[$0] ?? $0.value }
        }
        self.batchSize = try Self.batchSize(asked: batchSize, of: examples)
    }

    /// How many examples are evaluated at once where their features are kept, unless more were asked for: as many as the
    /// product with a large matrix takes, which is read that much more seldom; fewer where features are large, because who
    /// asks for small batches of those saves memory. Compressed ones take little, so that they may be many.
    static func batchSize(asked: Int, of examples: Examples) throws -> Int {
        guard let features = examples.source as? FeatureSource else { return asked }
        let compressed = examples.isBitmap ? try features.compressedByteCount(of: examples.readable) : nil
        let most = compressed == nil ? 64 : 512
        let size = max(asked, min(most, mostByteCount / max(compressed ?? features.byteCount, 1)))
        return compressed == nil ? size : min(size, examples.readable.count)
    }

    /// The bytes of features that are evaluated at once, about.
    private static let mostByteCount = 16 << 20

    /// The number of examples that can be read, as far as is known.
    var exampleCount: Int { examples.readable.count }

    /// Leaves out examples that another process found to be unreadable.
    func leaveOut(_ indices: Set<Int>) { examples.leaveOut(indices) }

    /// Has the first batches read, which are about to be used.
    func readAhead() {
        guard streamAhead == nil, whole == nil, examples.source is FeatureSource else { return }
        streamAhead = takeStream(order: examples.readable)
    }

    private func takeStream(order: [Int]) -> BatchStream<FedBatch> {
        defer { streamAhead = nil }
        if let whole, whole.indices == order { return BatchStream(whole) }
        return streamAhead
            ?? BatchStream(
                examples.source, order: order, batchSize: batchSize, profiler: profiler, prepare: runner.plans.feed)
    }

    /// The figures under `val_loss`, `val_accuracy`, …
    ///
    /// - Parameter values: the variables that training changed.
    func figures(epoch: Int, values: [Variable: Tensor]) throws -> [String: Double] {
        let clock = Stopwatch()
        self.values.byVariable = values
        // What is held here would be copied when training changes it.
        defer {
            runner.release()
            self.values.byVariable = [:]
        }
        let order = examples.readable
        let stream = takeStream(order: order)
        var figures = RunningMetrics(measures, prefix: "val_")
        var done = 0
        while let batch = try stream.next() {
            try events.checkCancellation()
            for failure in examples.leaveOut(batch.failures) { try events.emit(.problem(failure)) }
            done += batch.indices.count + batch.failures.count
            guard !batch.indices.isEmpty else { continue }
            keepWhole(batch, order)
            figures.add(try runner.run(batch), targets: batch.batch.targets, examples: batch.indices.count)
            try events.emit(
                .validation(epoch: epoch, Progress(done: done, total: order.count, elapsed: clock.seconds)))
        }
        guard exampleCount > 0 else { throw DataCheck.nothingReadable(events.failures) }
        return figures.values
    }

    private func keepWhole(_ batch: FedBatch, _ order: [Int]) {
        guard let feed = batch.feed, batch.indices == order, batch.batch.isBitmap else { return }
        guard feed.byteCount <= 2 * Self.mostByteCount else { return }
        let kept = SourceBatch(indices: order, targets: batch.batch.targets)
        whole = FedBatch(batch: kept, step: batch.step, feed: feed)
    }
}
