import GraftData
import GraftFeatures
import GraftGraph
import GraftModel
import GraftRuntime

/// One call of `fit`, from the checks to the history: check, plan, feed, loop.
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
        var checkpoint: Checkpointing?
        /// Whether a loss that is not finite is traced to where it came from.
        var explainsFailures = true
    }

    private let model: Model
    private let arguments: Arguments
    private let training: any Dataset
    private let validation: (any Dataset)?
    private let backend: any Backend
    private let run: TrainingRun
    private let events: RunEvents
    private let checkpoints: RunCheckpoints?
    /// The arrays that neither the model nor a plan has.
    private var arrays: TrainingArrays
    private let compiled: Compilation

    init(
        _ model: Model, _ compilation: Compilation, training: any Dataset, validation: (any Dataset)?,
        _ arguments: Arguments
    ) throws {
        (self.model, self.arguments, compiled) = (model, arguments, compilation.withoutState)
        (self.training, self.validation) = (training, validation)
        backend = try arguments.options.makeBackend()
        arrays = TrainingArrays(slots: compilation.slots)
        run = TrainingRun(model: model, compilation)
        events = RunEvents(run, arguments.callbacks, arguments.options)
        checkpoints = arguments.checkpoint.map { [run, events] in
            RunCheckpoints($0, run, events, callbacks: arguments.callbacks)
        }
    }

    /// What the model remembers of the run.
    var compilation: Compilation {
        var result = compiled
        (result.slots, result.chosenRate) = (arrays.slots, run.state.chosenRate)
        (result.stepCount, result.epochCount) = (run.state.stepCount, run.state.epochCount)
        return result
    }

    /// Trains.
    ///
    /// - Throws: `GraftError` for data that does not fit, for a loss that is not finite, and what callbacks throw.
    func execute() throws -> History {
        let targetShapes = try check()
        let trained = try TrainedModel(model, mayKeepTrunk: arguments.options.features.location != .none)
        run.changingVariables = model.variables.filter(trained.changing.contains)
        // What is being written when the run ends is written to its end, whatever ends it.
        defer { checkpoints?.finish() }
        let restored = try checkpoints?.resume(identity(trained), compiled, &arrays)
        let initialization = initializeVariables()
        defer { withExtendedLifetime(initialization) {} }
        try begin(trained)
        if let restored { try checkpoints?.tell(restored) }
        // Plans for predictions would hold the variables of before next to those that training makes.
        Predictor.of(model).clear()
        do {
            let (sources, trained) = try makeSources(trained)
            let trainer = makeTrainer(trained, sources.training, targetShapes)
            defer { arrays = trainer.snapshot() }
            arrays = TrainingArrays()
            try train(trainer, try makeValidation(trained, sources.validation, targetShapes))
        } catch let error as GraftError where error.code == .cancelled {
            run.state.history.isInterrupted = true
            if events.isStoppedBetweenSteps { try checkpoints?.write(arrays) }
        }
        try checkpoints?.end()
        try events.emit(.ended(run.history))
        return run.history
    }

    // MARK: Checking

    /// - Returns: the shapes of an example's targets.
    private func check() throws -> [Shape] {
        // A stack that was not told the shape of its input takes that of an example, as in Keras.
        if model.graph == nil, training.count > 0 {
            let inputs = try training.batch([0]).inputs
            if !inputs.isEmpty { try model.build(inputShapes: inputs.map(\.shape.ofExample)) }
        }
        let check = DataCheck(model: model, objective: compiled.objective)
        if let weights = arguments.weights { try check.checkWeights(weights) }
        let targetShapes = try check.check(training, validation)
        for dataset in [training, validation].compactMap(\.self) {
            try DataCheck.checkClassNames(of: dataset, model: model)
        }
        return targetShapes
    }

    private func identity(_ trained: TrainedModel) -> RunIdentity {
        RunIdentity(
            arguments, compilation, trained, backend.capabilities,
            DataIdentity(training: training, validation: validation))
    }

    /// Has variables that have no value yet take their initial one, while images are looked at and the trunk is made ready.
    private func initializeVariables() -> BackgroundWork {
        let work = BackgroundWork(name: "graft variables")
        let variables = model.variables.filter { !$0.isInitialized }
        // Nothing can go wrong with the first piece of work.
        try? work.submit { for variable in variables { _ = variable.value } }
        return work
    }

    private func begin(_ trained: TrainedModel) throws {
        let outline = TrainingOutline(
            examples: training.count, validationExamples: validation?.count ?? 0, epochs: arguments.epochs,
            batchSize: arguments.batchSize, trainableParameters: trained.trainableParameters,
            keepsFeatures: trained.keepsTrunk)
        try events.emit(.began(outline))
        // The saved model is to know its classes and how bytes become its input.
        model.metadata.classNames = model.metadata.classNames ?? training.classNames
        if model.metadata.storedInputRule == nil { model.metadata.setInputRule(training.inputRule) }
    }

    // MARK: Planning and feeding

    /// The examples, and the model as it reads them: without a trunk where features cannot be kept.
    private func makeSources(_ trained: TrainedModel) throws -> (FitSources, TrainedModel) {
        let training = CheckedIDs.of(training, for: model)
        let validation = validation.map { CheckedIDs.of($0, for: model) }
        guard trained.keepsTrunk else {
            guard arguments.options.featureAugmentation == nil else {
                throw GraftError(
                    .argument,
                    "featureAugmentation: no features are kept here, as the network runs at every step; augment the images"
                )
            }
            return (FitSources(decoding: training, validation), trained)
        }
        do {
            return (try makeFeatures(trained, training, validation), trained)
        } catch let error as GraftError where error.code == .file && arguments.options.featureAugmentation == nil {
            try events.emit(.featuresNotKept(error))
            // Examples that the pass could not read are met again.
            events.failuresBefore += run.state.history.failures
            return (
                FitSources(decoding: training, validation), try TrainedModel(model, mayKeepTrunk: false)
            )
        }
    }

    private func makeFeatures(
        _ trained: TrainedModel, _ training: any Dataset, _ validation: (any Dataset)?
    ) throws -> FitSources {
        let pass = FeaturePass(
            cache: arguments.options.features, emit: { [events] in try events.emit(TrainingEvent($0)) },
            checkCancellation: events.checkCancellation, timeline: arguments.options.profiler?.timeline)
        let left = max(arguments.epochs - run.state.position.epoch + 1, 1)
        let epochs = run.state.epochCount..<(run.state.epochCount + left)
        let sources = try FitSources(
            pass: pass, over: training, validation, trained, epochs: epochs, backend: backend,
            augmentation: arguments.options.featureAugmentation.map { ($0, arguments.seed) })
        run.state.history.trunkSeconds = sources.trunkSeconds
        run.state.history.reusedFeatureCount = sources.reusedCount
        return sources
    }

    private func makeTrainer(_ trained: TrainedModel, _ examples: Examples, _ targetShapes: [Shape]) -> Trainer {
        let (compiled, weights) = (compiled, arguments.weights)
        let plans = StepPlans(backend: backend, readsBitmaps: examples.isBitmap, weights: weights) { batchSize in
            try StepProgram.training(
                trained.parts(batchSize: batchSize, training: true), trained.trainable, compiled,
                targetShapes: targetShapes, isWeighted: weights != nil)
        }
        let settings = Trainer.Settings(
            compilation: compiled, batchSize: arguments.batchSize, epochs: arguments.epochs, shuffle: arguments.shuffle,
            randomness: RunRandomness(seed: arguments.seed), profiler: arguments.options.profiler)
        let tracer = arguments.explainsFailures ? NaNTracer(backend, trained, training) : nil
        return Trainer(settings, run, events, plans, examples, arrays: arrays, tracer: tracer)
    }

    private func makeValidation(
        _ trained: TrainedModel, _ examples: Examples?, _ targetShapes: [Shape]
    ) throws -> Validation? {
        guard let examples else { return nil }
        let compiled = compiled
        let plans = StepPlans(backend: backend, readsBitmaps: examples.isBitmap) { batchSize in
            try StepProgram.evaluation(
                trained.parts(batchSize: batchSize, training: false), trained.trainable, compiled.objective,
                compiled.measures, targetShapes: targetShapes)
        }
        let validation = try Validation(
            plans, examples, compiled.measures, batchSize: arguments.batchSize, events,
            profiler: arguments.options.profiler)
        validation.leaveOut(run.state.validationUnreadable)
        return validation
    }

    // MARK: Looping

    private func train(_ trainer: Trainer, _ validation: Validation?) throws {
        while run.state.position.epoch <= arguments.epochs, !run.isStopping {
            try trainer.trainEpoch {
                validation?.readAhead()
            } afterStep: {
                try checkpoints?.writeIfDue(atEpochEnd: false, trainer.snapshot)
            }
            try endEpoch(trainer, validation)
            let isLast = run.state.position.epoch > arguments.epochs || run.isStopping
            let mustKeep = isLast && arguments.checkpoint?.keepsFile == true
            try checkpoints?.writeIfDue(atEpochEnd: true, always: mustKeep, trainer.snapshot)
        }
        trainer.giveAverages(to: model)
    }

    /// Measures what the epoch made of the model, gives that to the model, and tells.
    private func endEpoch(_ trainer: Trainer, _ validation: Validation?) throws {
        let epoch = run.state.position.epoch
        var figures = run.state.position.figures.values
        if let validation {
            defer { run.state.validationUnreadable = validation.examples.unreadable }
            let measured = try validation.figures(epoch: epoch, values: trainer.variables)
            figures.merge(measured) { first, _ in first }
        }
        try trainer.giveToModel(model)
        let seconds = run.state.position.seconds
        run.state.history.exampleCount = trainer.examples.readable.count + (validation?.exampleCount ?? 0)
        run.state.history.append(epoch: epoch, figures, seconds: seconds)
        run.state.position.end()
        try events.emit(.epoch(EpochReport(epoch: epoch, figures: figures, seconds: seconds)))
    }
}

extension Compilation {
    /// What programs are made from.
    var withoutState: Compilation { Compilation(optimizer: optimizer, objective: objective, metrics: metrics) }
}
