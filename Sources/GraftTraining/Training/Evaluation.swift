import GraftGraph
import GraftModel

/// How a model does on a dataset.
public struct Evaluation: Sendable {
    /// The loss and the metrics under Keras's keys: `loss`, `accuracy`.
    public var figures: [String: Double]
    /// A line a class, in the order of the class numbers; empty where targets are no classes.
    public var classes: [ClassFigures]
    /// How often each class was taken for which; `nil` where targets are no classes.
    public var confusion: ConfusionMatrix?
    /// How many examples took part.
    public var exampleCount: Int
    /// The examples that could not be read.
    public var failures: [ExampleFailure]

    /// The mean loss.
    public var loss: Double { figures["loss"] ?? .nan }
}

extension Model {
    /// The loss, the metrics and the figures of each class over a dataset.
    ///
    /// - Parameters:
    ///   - examples: what to evaluate on; must know its targets.
    ///   - batchSize: examples at a time.
    ///   - loss: the compiled one where it is `nil`, else the one for the model's number of outputs
    ///     (``Loss/classification(outputs:)``), so that a loaded model can be evaluated as it is; one whose outputs are
    ///     logits (``ModelMetadata/outputActivation``) with the activation that makes probabilities of them.
    ///   - metrics: the compiled ones where it is `nil`, else accuracy.
    ///   - options: threads, a flag to stop.
    ///   - progress: called after each batch.
    /// - Throws: `GraftError` with code `data` for examples that do not fit or cannot be read at all, `cancelled`.
    public func evaluate(
        _ examples: any Dataset, batchSize: Int = 32, loss: Loss? = nil, metrics: [Metric]? = nil,
        options: TrainingOptions = TrainingOptions(), progress: ((Progress) throws -> Void)? = nil
    ) throws -> Evaluation {
        try requirePositive(batchSize, "batchSize")
        let compilation = TrainingState.of(self).compilation
        if loss == nil, compilation == nil, let activation = metadata.outputActivation, outputKind != .probabilities {
            return try withOutputActivation(activation).evaluate(
                examples, batchSize: batchSize, metrics: metrics, options: options, progress: progress)
        }
        let loss = loss ?? compilation?.loss ?? .classification(outputs: outputs.first?.shape.last ?? 1)
        let metrics = metrics ?? compilation?.metrics ?? [.accuracy]
        try DataCheck.checkClassNames(of: examples, model: self)
        let targetShape = try DataCheck(model: self, loss: loss).check(examples, name: "given", needsClasses: false)
        let backend = try options.makeBackend()
        let trainable = Set(trainableVariables)
        let plans = StepPlans(backend: backend) { batchSize in
            let parts = try ModelParts(self.lower(batchSize: batchSize, training: false))
            return try StepProgram.evaluation(
                parts, trainable, loss, metrics, targetShape: targetShape, withPredictions: true)
        }
        let runner = StepRunner(plans) { program, id in program.variables[id]?.value }
        let isOneClass = loss.targets.isOneClass(outputs: outputs.first?.shape.last ?? 1)
        var count = EvaluationCount(metrics, countsClasses: isOneClass)
        let stream = BatchStream(
            DecodedSource(dataset: examples), order: Array(0..<examples.count), batchSize: batchSize,
            profiler: options.profiler, prepare: plans.feed)
        let clock = Stopwatch()
        while let batch = try stream.next() {
            try options.checkCancellation()
            if !batch.indices.isEmpty { count.add(batch.batch, outputs: try runner.run(batch)) }
            count.failures += batch.failures
            let done = count.exampleCount + count.failures.count
            try progress?(Progress(done: done, total: examples.count, elapsed: clock.seconds))
        }
        guard count.exampleCount > 0 else { throw DataCheck.nothingReadable(count.failures) }
        return count.evaluation(classNames: metadata.classNames ?? examples.classNames)
    }
}

/// What an evaluation adds up over its batches.
private struct EvaluationCount {
    var failures: [ExampleFailure] = []
    private(set) var exampleCount = 0
    private var figures: RunningFigures
    private var classes: ConfusionMatrix?

    init(_ metrics: [Metric], countsClasses: Bool) {
        figures = RunningFigures(metrics)
        classes = countsClasses ? ConfusionMatrix() : nil
    }

    mutating func add(_ batch: SourceBatch, outputs: [Tensor]) {
        exampleCount += batch.indices.count
        figures.add(
            lossSum: Double(outputs[0][0]), statistics: outputs.dropFirst().dropLast(), examples: batch.indices.count)
        if let predictions = outputs.last, let targets = batch.targets.first { classes?.add(predictions, targets) }
    }

    func evaluation(classNames: [String]?) -> Evaluation {
        Evaluation(
            figures: figures.values, classes: classes?.figures(names: classNames) ?? [], confusion: classes,
            exampleCount: exampleCount, failures: failures)
    }
}
