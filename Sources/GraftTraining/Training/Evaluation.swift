import GraftData
import GraftFeatures
import GraftGraph
import GraftModel

/// How a model does on a dataset.
public struct Evaluation: Sendable {
    /// The loss and the metrics under Keras's keys: `loss`, `accuracy`.
    public var figures: [String: Double]
    /// What is known of each output, in order.
    public var outputs: [Output]
    /// How many examples took part.
    public var exampleCount: Int
    /// The examples that could not be read.
    public var failures: [ExampleFailure]

    /// How one of the model's outputs does.
    public struct Output: Sendable {
        /// Its name: see ``Model/outputNames``.
        public var name: String
        /// A line a class, in the order of the class numbers; empty where targets are no classes.
        public var classes: [ClassMetrics]
        /// How often each class was taken for which; `nil` where targets are no classes.
        public var confusion: ConfusionMatrix?
    }

    /// A line a class of a model with one output, in the order of the class numbers; empty where targets are no classes.
    public var classes: [ClassMetrics] { outputs.count == 1 ? outputs[0].classes : [] }
    /// How often each class was taken for which by a model with one output; `nil` where targets are no classes.
    public var confusion: ConfusionMatrix? { outputs.count == 1 ? outputs[0].confusion : nil }

    /// The mean loss.
    public var loss: Double { figures["loss"] ?? .nan }
}

extension Model {
    /// The loss, the metrics and the figures of each class over a dataset.
    ///
    /// - Parameters:
    ///   - examples: what to evaluate on; must know its targets.
    ///   - batchSize: examples at a time.
    ///   - loss: the compiled one where it is `nil`, else for each output the one for its size
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
        let objective = objective(compilation, loss)
        let measures = Measures(objective, outputMetrics(compilation, metrics))
        try DataCheck.checkClassNames(of: examples, model: self)
        let targetShapes = try DataCheck(model: self, objective: objective)
            .check(examples, name: "given", needsClasses: false)
        let trainable = Set(trainableVariables)
        let plans = StepPlans(backend: try options.makeBackend()) { batchSize in
            try StepProgram.evaluation(
                ModelParts(self.lower(batchSize: batchSize, training: false, withLosses: true)), trainable, objective,
                measures,
                targetShapes: targetShapes, withPredictions: true)
        }
        let runner = StepRunner(plans) { program, id in program.variables[id]?.value }
        var count = EvaluationCount(objective, measures, self)
        let stream = BatchStream(
            DecodedSource(dataset: CheckedIDs.of(examples, for: self)), order: Array(0..<examples.count),
            batchSize: batchSize, profiler: options.profiler, prepare: plans.feed)
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

    /// The loss that is given, else the compiled objective, else what suits the outputs.
    private func objective(_ compilation: Compilation?, _ loss: Loss?) -> Objective {
        if loss == nil, let compilation { return compilation.objective }
        return Objective(
            zip(outputNames, outputs).map { name, output in
                (name: name, loss: loss ?? .classification(outputs: output.shape.last), weight: 1)
            })
    }

    /// The metrics that are given, of each output, else the compiled ones, else accuracy.
    private func outputMetrics(_ compilation: Compilation?, _ metrics: [Metric]?) -> [OutputMetric] {
        if metrics == nil, let compilation { return compilation.metrics }
        let names = outputNames
        return names.enumerated().flatMap {
            Self.metrics(metrics ?? [.accuracy], of: $1, at: $0, among: names.count)
        }
    }
}

/// What an evaluation adds up over its batches.
private struct EvaluationCount {
    var failures: [ExampleFailure] = []
    private(set) var exampleCount = 0
    private var figures: RunningMetrics
    private let names: [String]
    /// For each output whose targets are classes.
    private var classes: [ConfusionMatrix?]

    init(_ objective: Objective, _ measures: Measures, _ model: Model) {
        figures = RunningMetrics(measures)
        names = model.outputNames
        let losses = objective.losses
        classes = model.outputs.enumerated().map { place, output in
            let rule = place < losses.count ? losses[place]?.targets : nil
            return rule?.isOneClass(outputs: output.shape.last) == true ? ConfusionMatrix() : nil
        }
    }

    mutating func add(_ batch: SourceBatch, outputs: [Tensor]) {
        exampleCount += batch.indices.count
        figures.add(outputs, targets: batch.targets, examples: batch.indices.count)
        let predictions = outputs.suffix(classes.count)
        for (place, (predictions, targets)) in zip(predictions, batch.targets).enumerated() {
            classes[place]?.add(predictions, targets)
        }
    }

    func evaluation(classNames: [String]?) -> Evaluation {
        let own = classes.count == 1 ? classNames : nil
        return Evaluation(
            figures: figures.values,
            outputs: zip(names, classes).map { name, classes in
                Evaluation.Output(name: name, classes: classes?.classMetrics(names: own) ?? [], confusion: classes)
            },
            exampleCount: exampleCount, failures: failures)
    }
}
