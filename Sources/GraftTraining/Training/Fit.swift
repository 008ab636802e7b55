import GraftGraph
import GraftModel

/// One call of `fit`, from the checks to the history.
///
/// The model's variables change at the end of an epoch and at no other time: while an epoch runs, the plan changes
/// copies of its own. So whatever ends a run in the middle of an epoch, a wish to stop, an error, a callback that
/// throws, leaves the model of the last complete epoch.
final class FitRun {
    /// What `fit` was asked for.
    struct Arguments {
        var batchSize: Int
        var epochs: Int
        var shuffle: Bool
        var seed: UInt64
        var weights: ExampleWeights?
        var callbacks: [any Callback]
        var options: TrainingOptions
    }

    let model: Model
    let arguments: Arguments
    let backend: any Backend
    let run: TrainingRun
    /// What remembers between runs; handed back when the run ends.
    private(set) var compilation: Compilation
    private let training: any Dataset
    private let validation: (any Dataset)?
    private let randomness: RunRandomness

    init(
        _ model: Model, _ compilation: Compilation, training: any Dataset, validation: (any Dataset)?,
        _ arguments: Arguments
    ) throws {
        (self.model, self.compilation, self.arguments) = (model, compilation, arguments)
        (self.training, self.validation) = (training, validation)
        backend = try arguments.options.makeBackend()
        randomness = RunRandomness(seed: arguments.seed)
        run = TrainingRun(model: model, compilation)
    }

    /// Trains.
    ///
    /// - Throws: `GraftError` for data that does not fit, for a loss that is no number, and what callbacks throw.
    func execute() throws -> History {
        try buildIfNeeded()
        let targetShape = try DataCheck(model: model, loss: compilation.loss).check(training, validation)
        for dataset in [training, validation].compactMap(\.self) {
            try DataCheck.checkClassNames(of: dataset, model: model)
        }
        let options = arguments.options
        let trained = try TrainedModel(model, mayKeepTrunk: options.features.location != .none)
        try begin(trained)
        // Plans for predictions would hold the variables of before beside those that training makes.
        Predictor.of(model).clear()
        do {
            let sources = try prepareSources(trained)
            let runner = makeTrainingRunner(trained, targetShape)
            defer { keepSlots(of: runner) }
            let validator = sources.validation.map { Validator(self, $0, trained, targetShape) }
            try train(runner, sources.training, validator)
        } catch let error as GraftError where error.code == .cancelled {
            run.history.isInterrupted = true
        }
        try emit(.ended(run.history))
        return run.history
    }

    /// Tells the callbacks.
    func emit(_ event: TrainingEvent) throws {
        if case .problem(let failure) = event { run.history.failures.append(failure) }
        arguments.options.profiler?.handle(event)
        for callback in arguments.callbacks { try callback.handle(event, in: run) }
    }

    /// A stack that was not told the shape of its input takes that of an example, as in Keras.
    private func buildIfNeeded() throws {
        guard model.graph == nil, training.count > 0 else { return }
        let inputs = try training.batch([0]).inputs
        if !inputs.isEmpty { try model.build(inputShapes: inputs.map(\.shape.ofExample)) }
    }

    private func begin(_ trained: TrainedModel) throws {
        let outline = TrainingOutline(
            examples: training.count, validationExamples: validation?.count ?? 0, epochs: arguments.epochs,
            batchSize: arguments.batchSize, trainableParameters: trained.trainableParameters,
            keepsFeatures: trained.keepsTrunk)
        try emit(.began(outline))
        // The saved model is to know its classes and how pictures become its input.
        model.metadata.classNames = model.metadata.classNames ?? training.classNames
        model.metadata.image = model.metadata.image ?? training.imageRule
    }

    private func prepareSources(_ trained: TrainedModel) throws -> FitSources {
        guard trained.keepsTrunk else { return FitSources(decoding: training, validation) }
        let pass = FeaturePass(
            cache: arguments.options.features, emit: emit, checkCancellation: arguments.options.checkCancellation,
            profiler: arguments.options.profiler)
        let sources = try FitSources(pass: pass, over: training, validation, trained, backend: backend)
        (run.history.trunkSeconds, run.history.reusedFeatureCount) = (sources.trunkSeconds, sources.reusedCount)
        return sources
    }

    // MARK: Steps

    private func makeTrainingRunner(_ trained: TrainedModel, _ targetShape: Shape) -> StepRunner {
        let (compilation, isWeighted) = (compilation.withoutState, arguments.weights != nil)
        return StepRunner(backend: backend) { batchSize in
            let parts = try trained.parts(batchSize: batchSize, training: true)
            return try StepProgram.training(
                parts, trained.trainable, compilation, targetShape: targetShape, isWeighted: isWeighted)
        } initialValue: { [unowned self] program, id in
            if let variable = program.variables[id] { return variable.value }
            return program.slots[id].map { self.takeSlot($0) }
        }
    }

    /// An optimizer's array, which then has no holder but the caller; a new one where the variable was not trained yet.
    private func takeSlot(_ address: StepProgram.SlotAddress) -> Tensor {
        if let kept = compilation.slots[address.variable]?[address.index] {
            compilation.slots[address.variable]?[address.index] = nil
            return kept
        }
        guard !address.slot.copiesVariable else { return address.variable.value }
        return Tensor(repeating: address.slot.initialValue, shape: address.variable.shape)
    }

    /// Keeps the optimizer's arrays for the next `fit`.
    private func keepSlots(of runner: StepRunner) {
        guard let program = runner.program else { return }
        let none = [Tensor?](repeating: nil, count: OptimizerProgram(compilation.optimizer).slots.count)
        for (id, value) in runner.values(updatedOnly: true) {
            guard let address = program.slots[id] else { continue }
            compilation.slots[address.variable, default: none][address.index] = value
        }
    }

    private func train(_ runner: StepRunner, _ examples: Examples, _ validator: Validator?) throws {
        var examples = examples
        for epoch in 1...arguments.epochs where !run.isStopping {
            let clock = Stopwatch()
            try emit(.epochBegan(epoch))
            var figures = try trainEpoch(epoch, runner, &examples)
            if let validator {
                let measured = try validator.validate(epoch: epoch, values: variables(of: runner))
                figures.merge(measured) { first, _ in first }
            }
            try keep(variables(of: runner), epoch: epoch)
            run.history.exampleCount = examples.readable.count + (validator?.exampleCount ?? 0)
            run.history.append(epoch: epoch, figures, seconds: clock.seconds)
            try emit(.epoch(EpochReport(epoch: epoch, figures: figures, seconds: clock.seconds)))
        }
        adoptAverages(of: runner)
    }

    /// Gives the model what training changed.
    ///
    /// - Throws: `GraftError` with code `data` where a number is not finite, which the loss shows a step later only.
    private func keep(_ values: [Variable: Tensor], epoch: Int) throws {
        if let (variable, _) = values.first(where: { !$0.value.isFinite }) {
            throw GraftError(
                .data,
                "\(variable.path) holds numbers that are not finite after epoch \(epoch), with a learning rate of "
                    + "\(run.learningRate); use a smaller one. The model is that of the epoch before")
        }
        compilation.epochCount += 1
        for (variable, value) in values { variable.value = value }
    }

    /// Trains on every example once.
    private func trainEpoch(
        _ epoch: Int, _ runner: StepRunner, _ examples: inout Examples
    ) throws -> [String: Double] {
        let clock = Stopwatch()
        var order = examples.readable
        if arguments.shuffle { order = randomness.shuffled(order, epoch: compilation.epochCount) }
        let stream = BatchStream(
            examples.source, order: order, batchSize: arguments.batchSize, profiler: arguments.options.profiler)
        var figures = RunningFigures(compilation.metrics)
        var (step, done) = (0, 0)
        try arguments.options.checkCancellation()
        while let batch = try stream.next() {
            try arguments.options.checkCancellation()
            for failure in examples.leaveOut(batch.failures) { try emit(.problem(failure)) }
            done += batch.indices.count + batch.failures.count
            guard !batch.indices.isEmpty else { continue }
            step += 1
            let (loss, statistics) = try trainStep(runner, batch, epoch: epoch, step: step)
            let count = batch.indices.count
            figures.add(lossSum: loss * Double(count), statistics: statistics, examples: count)
            let progress = Progress(done: done, total: order.count, elapsed: clock.seconds)
            try emit(
                .step(StepReport(epoch: epoch, step: step, progress: progress, loss: loss, figures: figures.values)))
        }
        guard step > 0 else { throw DataCheck.nothingReadable(run.history.failures) }
        return figures.values
    }

    private func trainStep(
        _ runner: StepRunner, _ batch: SourceBatch, epoch: Int, step: Int
    ) throws -> (loss: Double, statistics: ArraySlice<Tensor>) {
        let rate = run.learningRate
        let scalars = OptimizerProgram(compilation.optimizer).scalars(step: compilation.stepCount, learningRate: rate)
        let weights = batch.targets.first.flatMap { arguments.weights?.weights(of: batch.indices, targets: $0) }
        let key = randomness.key(step: compilation.stepCount)
        let outputs = try runner.run(batch, scalars: scalars, weights: weights, randomKey: key)
        compilation.stepCount += 1
        (compilation.chosenRate, run.step) = (run.chosenRate, compilation.stepCount)
        let loss = Double(outputs[0][0])
        guard loss.isFinite else {
            throw GraftError(
                .data,
                "the loss became \(loss) at step \(step) of epoch \(epoch), with a learning rate of \(rate); "
                    + "use a smaller one, and check the inputs and targets for numbers that are not finite")
        }
        return (loss, outputs.dropFirst())
    }

    /// What training changed, as it is now, shared: the next step copies what it changes.
    private func variables(of runner: StepRunner) -> [Variable: Tensor] {
        guard let program = runner.program else { return [:] }
        let pairs = runner.values(updatedOnly: true).compactMap { id, value in program.variables[id].map { ($0, value) }
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    /// Gives the model the moving averages of its variables, where the optimizer keeps them: Keras's
    /// `finalize_variable_values`.
    private func adoptAverages(of runner: StepRunner) {
        guard let program = runner.program else { return }
        let values = runner.values(updatedOnly: true)
        for (id, address) in program.slots where address.slot == .average {
            if let average = values[id] { address.variable.value = average }
        }
    }
}

extension Compilation {
    /// What programs are made from.
    var withoutState: Compilation { Compilation(optimizer: optimizer, loss: loss, metrics: metrics) }
}
