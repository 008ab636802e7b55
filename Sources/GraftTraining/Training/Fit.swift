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
        var checkpoint: Checkpointing?
        /// Whether a loss that is no number is traced to where it came from.
        var explainsFailures = true
    }

    let model: Model
    let arguments: Arguments
    let backend: any Backend
    let run: TrainingRun
    /// What remembers between runs; handed back when the run ends.
    var compilation: Compilation
    /// Where the loop of training is.
    var position: RunPosition
    /// What the running epoch made of variables in an earlier process, until the first step takes it.
    var runningValues: [Variable: Tensor] = [:]
    /// The validation examples that are known to be unreadable.
    var validationUnreadable: Set<Int> = []
    /// The failures of an earlier process that this one has not met again.
    var failuresBefore: [ExampleFailure] = []
    /// The number of training examples, readable or not.
    var exampleCount: Int { training.count }
    /// The number of validation examples, readable or not; 0 without.
    var validationCount: Int { validation?.count ?? 0 }
    let training: any Dataset
    private let validation: (any Dataset)?
    let randomness: RunRandomness
    /// The batches of the next epoch, where they are being read already, and the order for which they are.
    var streamAhead: (order: [Int], stream: BatchStream)?
    private let checkpointer: Checkpointer?
    private var identity: RunIdentity?
    /// Whether somebody asked to stop at a moment at which a checkpoint can be taken.
    private var stoppedAtRest = false

    init(
        _ model: Model, _ compilation: Compilation, training: any Dataset, validation: (any Dataset)?,
        _ arguments: Arguments
    ) throws {
        (self.model, self.compilation, self.arguments) = (model, compilation, arguments)
        (self.training, self.validation) = (training, validation)
        backend = try arguments.options.makeBackend()
        randomness = RunRandomness(seed: arguments.seed)
        checkpointer = arguments.checkpoint.map(Checkpointer.init)
        position = RunPosition(compilation.metrics)
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
        run.changingVariables = model.variables.filter(trained.changing.contains)
        // What is being written when the run ends is written to its end, whatever ends it.
        defer { checkpointer?.finish() }
        // A rate that a callback set after the last step holds for the next call of `fit` too.
        defer { compilation.chosenRate = run.chosenRate }
        let resumption = try takeUpCheckpoint(trained)
        let initialization = initializeVariables()
        defer { withExtendedLifetime(initialization) {} }
        try begin(trained)
        if let resumption { try goOn(resumption) }
        // Plans for predictions would hold the variables of before beside those that training makes.
        Predictor.of(model).clear()
        do {
            var sources = try prepareSources(trained)
            let packed = try sources.training.packed()
            let runner = makeTrainingRunner(trained, targetShape, packsInputs: packed != nil)
            defer { keepState(of: runner) }
            if let packed, try runner.readsPackedInputs(batchSize: min(arguments.batchSize, packed.readable.count)) {
                sources.training = packed
            }
            let validator = try sources.validation.map { try Validator(self, $0, trained, targetShape) }
            try train(runner, sources.training, validator)
        } catch let error as GraftError where error.code == .cancelled {
            run.history.isInterrupted = true
            if stoppedAtRest { try takeCheckpoint(nil, atEpochEnd: false, always: true) }
        }
        try endCheckpoints()
        try emit(.ended(run.history))
        return run.history
    }

    /// Has variables that have no value yet take their initial one, while pictures are looked at and the trunk is made ready.
    private func initializeVariables() -> BackgroundWork {
        let work = BackgroundWork(name: "graft variables")
        let variables = model.variables.filter { !$0.isInitialized }
        // Nothing can go wrong with the first piece of work.
        try? work.submit { for variable in variables { _ = variable.value } }
        return work
    }

    /// Ends the run where somebody asked for it; called where every callback has seen what happened.
    func restAndCheckCancellation() throws {
        guard arguments.options.cancellation?.isCancelled == true else { return }
        stoppedAtRest = true
        try arguments.options.checkCancellation()
    }

    /// Tells the callbacks.
    func emit(_ event: TrainingEvent) throws {
        arguments.options.profiler?.handle(event)
        if case .problem(let failure) = event {
            if let known = failuresBefore.firstIndex(of: failure) {
                failuresBefore.remove(at: known)
            } else {
                run.history.failures.append(failure)
            }
        }
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
            cache: arguments.options.features, emit: emit, checkCancellation: restAndCheckCancellation,
            profiler: arguments.options.profiler)
        let sources = try FitSources(pass: pass, over: training, validation, trained, backend: backend)
        (run.history.trunkSeconds, run.history.reusedFeatureCount) = (sources.trunkSeconds, sources.reusedCount)
        return sources
    }

    // MARK: Steps

    private func makeTrainingRunner(
        _ trained: TrainedModel, _ targetShape: Shape, packsInputs: Bool
    ) -> StepRunner {
        let (compilation, isWeighted) = (compilation.withoutState, arguments.weights != nil)
        return StepRunner(backend: backend, packsInputs: packsInputs) { batchSize in
            let parts = try trained.parts(batchSize: batchSize, training: true)
            return try StepProgram.training(
                parts, trained.trainable, compilation, targetShape: targetShape, isWeighted: isWeighted)
        } initialValue: { [unowned self] program, id in
            if let variable = program.variables[id] {
                return self.runningValues.removeValue(forKey: variable) ?? variable.value
            }
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
        return Tensor(
            repeating: address.slot.initialValue, shape: address.variable.shape, as: address.elementType)
    }

    /// Keeps the optimizer's arrays for the next `fit`, and what a running epoch made of variables for a checkpoint.
    private func keepState(of runner: StepRunner) {
        guard let program = runner.program else { return }
        runningValues = variables(of: runner)
        let none = [Tensor?](repeating: nil, count: OptimizerProgram(compilation.optimizer).slots.count)
        for (id, value) in runner.values(updatedOnly: true) {
            guard let address = program.slots[id] else { continue }
            compilation.slots[address.variable, default: none][address.index] = value
        }
    }

    private func train(_ runner: StepRunner, _ examples: Examples, _ validator: Validator?) throws {
        var examples = examples
        examples.leaveOut(position.unreadable)
        validator?.leaveOut(validationUnreadable)
        while position.epoch <= arguments.epochs, !run.isStopping {
            try trainAndValidate(runner, &examples, validator)
            let isLast = position.epoch > arguments.epochs || run.isStopping
            let mustKeep = isLast && arguments.checkpoint?.keepsFile == true
            try takeCheckpoint(runner, atEpochEnd: true, always: mustKeep)
        }
        adoptAverages(of: runner)
    }

    /// Does an epoch, or the rest of one.
    private func trainAndValidate(
        _ runner: StepRunner, _ examples: inout Examples, _ validator: Validator?
    ) throws {
        let epoch = position.epoch
        position.startClock()
        if !position.isInEpoch {
            position.unreadable = examples.unreadable
            position.begin(compilation.metrics)
            try emit(.epochBegan(epoch))
        }
        try trainEpoch(runner, &examples, validator)
        var figures = position.figures.values
        if let validator {
            defer { validationUnreadable = validator.unreadable }
            let measured = try validator.validate(epoch: epoch, values: variables(of: runner))
            figures.merge(measured) { first, _ in first }
        }
        runner.recycle(try keep(variables(of: runner), epoch: epoch, examples))
        let seconds = position.seconds
        run.history.exampleCount = examples.readable.count + (validator?.exampleCount ?? 0)
        run.history.append(epoch: epoch, figures, seconds: seconds)
        position.end()
        try emit(.epoch(EpochReport(epoch: epoch, figures: figures, seconds: seconds)))
    }

    /// Gives the model what training changed.
    ///
    /// - Returns: the values before, which the model then holds no more.
    /// - Throws: `GraftError` with code `data` where a number is not finite, which the loss shows a step later only.
    private func keep(_ values: [Variable: Tensor], epoch: Int, _ examples: Examples) throws -> [Variable: Tensor] {
        // Of several the one nearest to the loss, where the gradients come from.
        if let variable = model.variables.last(where: { values[$0]?.isFinite == false }) {
            throw nonFinite(variable, epoch: epoch, examples)
        }
        compilation.epochCount += 1
        runningValues = [:]
        var former: [Variable: Tensor] = [:]
        for (variable, value) in values { former[variable] = variable.exchange(value) }
        return former
    }

    /// Trains on every example once, or on those that an earlier process left.
    private func trainEpoch(_ runner: StepRunner, _ examples: inout Examples, _ validator: Validator?) throws {
        let epoch = position.epoch
        let order = order(of: examples)
        let stream = takeStream(of: examples, order: Array(order[min(position.done, order.count)...]))
        try restAndCheckCancellation()
        while let batch = try stream.next() {
            try restAndCheckCancellation()
            for failure in examples.leaveOut(batch.failures) { try emit(.problem(failure)) }
            let done = position.done + batch.indices.count + batch.failures.count
            guard !batch.indices.isEmpty else {
                (position.done, position.unreadable) = (done, examples.unreadable)
                continue
            }
            let left = order.count - done
            if left <= 2 * arguments.batchSize { readAhead(examples, isLast: left == 0, validator) }
            let (loss, statistics) = try trainStep(
                runner, batch, next: upcoming(stream, examples), epoch: epoch, step: position.step + 1)
            let count = batch.indices.count
            position.figures.add(lossSum: loss * Double(count), statistics: statistics, examples: count)
            position.step += 1
            (position.done, position.unreadable) = (done, examples.unreadable)
            let progress = Progress(done: done, total: order.count, elapsed: position.seconds)
            try emit(
                .step(
                    StepReport(
                        epoch: epoch, step: position.step, progress: progress, loss: loss,
                        figures: position.figures.values)))
            try takeCheckpoint(runner, atEpochEnd: false)
        }
        guard position.step > 0 else { throw DataCheck.nothingReadable(run.history.failures) }
    }

    private func trainStep(
        _ runner: StepRunner, _ batch: SourceBatch, next: SourceBatch?, epoch: Int, step: Int
    ) throws -> (loss: Double, statistics: ArraySlice<Tensor>) {
        let rate = run.learningRate
        let scalars = OptimizerProgram(compilation.optimizer).scalars(step: compilation.stepCount, learningRate: rate)
        let weights = batch.targets.first.flatMap { arguments.weights?.weights(of: batch.indices, targets: $0) }
        let key = randomness.key(step: compilation.stepCount)
        let outputs = try runner.run(batch, next: next, scalars: scalars, weights: weights, randomKey: key)
        compilation.stepCount += 1
        run.step = compilation.stepCount
        let loss = Double(outputs[0][0])
        guard loss.isFinite else {
            let origin =
                arguments.explainsFailures
                ? originOfNonFiniteLoss(runner, batch, scalars: scalars, weights: weights, randomKey: key) : .unknown
            throw GraftError(
                .data,
                "the loss became \(loss.isNaN ? .nan : loss) at step \(step) of epoch \(epoch), with a learning rate of \(rate): "
                    + origin.explanation(step: step))
        }
        return (loss, outputs.dropFirst())
    }

    /// What training changed, as it is now, shared: the next step writes elsewhere what it changes.
    func variables(of runner: StepRunner?) -> [Variable: Tensor] {
        guard let runner, runner.program != nil else { return runningValues }
        return runner.updatedVariables
    }

    /// Gives the model the moving averages of its variables, where the optimizer keeps them: Keras's
    /// `finalize_variable_values`.
    private func adoptAverages(of runner: StepRunner) {
        let slots = OptimizerProgram(compilation.optimizer).slots
        guard let position = slots.firstIndex(of: .average) else { return }
        guard let program = runner.program else {
            // No step was left to do, so that no plan has taken the arrays.
            for variable in model.trainableVariables {
                if let average = compilation.slots[variable]?[position] { variable.value = average }
            }
            return
        }
        let values = runner.values(updatedOnly: true)
        for (id, address) in program.slots where address.slot == .average {
            if let average = values[id] { address.variable.value = average }
        }
    }

    // MARK: Checkpoints

    /// Goes on from the checkpoint that is there, if that is wanted.
    private func takeUpCheckpoint(_ trained: TrainedModel) throws -> Resumption? {
        guard let checkpointing = arguments.checkpoint else { return nil }
        let identity = RunIdentity(self, trained, training: training, validation: validation)
        self.identity = identity
        guard checkpointing.resumes, let stored = try checkpointing.storage.read() else { return nil }
        let resumption = try takeUp(stored, identity)
        self.identity = try identity.begun(as: StoredValues(stored.checkpoint.values))
        return resumption
    }

    /// Tells the callbacks, which have begun, where the run goes on.
    private func goOn(_ resumption: Resumption) throws {
        for (callback, state) in zip(arguments.callbacks, resumption.states) {
            if let state { try callback.restore(state) }
        }
        try emit(.resumed(resumption.report))
    }

    /// Has a checkpoint written where one is due.
    private func takeCheckpoint(_ runner: StepRunner?, atEpochEnd: Bool, always: Bool = false) throws {
        guard let checkpointer, let identity else { return }
        try tellCheckpoints()
        guard always || checkpointer.isDue(stepCount: compilation.stepCount, atEpochEnd: atEpochEnd) else { return }
        checkpointer.write(epoch: position.epoch, step: position.step, checkpoint(runner, identity))
    }

    private func tellCheckpoints() throws {
        for report in checkpointer?.takeReports() ?? [] { try emit(.checkpoint(report)) }
    }

    /// Waits for the last checkpoint; a complete run needs none.
    private func endCheckpoints() throws {
        guard let checkpointer else { return }
        checkpointer.finish()
        try tellCheckpoints()
        let checkpointing = checkpointer.checkpointing
        if !run.history.isInterrupted, !checkpointing.keepsFile, !checkpointing.isShared {
            checkpointing.storage.remove()
        }
    }
}

extension Compilation {
    /// What programs are made from.
    var withoutState: Compilation { Compilation(optimizer: optimizer, loss: loss, metrics: metrics) }
}
